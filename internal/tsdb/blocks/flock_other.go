//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package blocks

// flock does nothing: the system has no such locks, or not of directories.
func flock(uintptr, bool) error { return nil }
