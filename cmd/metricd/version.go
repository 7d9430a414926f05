package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/alecthomas/kong"
)

// release is set by the linker: -ldflags "-X main.release=v1.2.3".
var release string

// version returns the version of this build: the release, else what the Go toolchain knows of it.
func version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "(devel)"
}

// versionCmd prints the version.
type versionCmd struct{}

// versionFlag prints the version and ends the process, whatever else is asked for.
type versionFlag bool

// BeforeReset does so.
func (versionFlag) BeforeReset(k *kong.Kong) error {
	if err := new(versionCmd).Run(); err != nil {
		return err
	}
	k.Exit(0)
	return nil
}

// Run prints the versions of metricd and of Go, and what it was built for.
func (*versionCmd) Run() error {
	_, err := fmt.Printf("metricd %s %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
