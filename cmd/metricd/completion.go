package main

import (
	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"
)

// completionCmd prints what makes a shell complete command lines of metricd: the shell runs metricd with the
// line so far in COMP_LINE, and that is answered before anything is parsed.
type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help returns what --help says beside the arguments.
func (*completionCmd) Help() string {
	return `For this shell alone, or in its startup file for all to come:

    source <(metricd completion bash)      in ~/.bashrc
    source <(metricd completion zsh)       in ~/.zshrc
    metricd completion fish | source       in ~/.config/fish/config.fish`
}

// Run prints the script.
func (c *completionCmd) Run(ctx *kong.Context) error {
	return (&kongcompletion.Completion{Shell: c.Shell, Code: true}).Run(ctx)
}
