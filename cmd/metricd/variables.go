package main

import (
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// variablePrefix begins the name of every environment variable that stands for a flag.
const variablePrefix = "METRICD_"

// nameVariables gives each flag a variable of its own: METRICD_FLAG for one of serve, METRICD_COMMAND_FLAG for one of another
// command. What means the same to several commands has its name from an env tag. So a variable that is set for the server
// changes nothing of the commands beside it.
func nameVariables(k *kong.Kong) error {
	name := strings.NewReplacer("-", "_", ".", "_")
	for _, command := range k.Model.Children {
		prefix := variablePrefix
		if command != k.Model.DefaultCmd {
			prefix += command.Name + "_"
		}
		for _, flag := range command.Flags {
			if len(flag.Envs) == 0 {
				flag.Envs = []string{strings.ToUpper(name.Replace(prefix + flag.Name))}
				flag.Tag.Envs = flag.Envs // where kong looks for values; the other is what help prints
			}
		}
	}
	return nil
}

// dropEmptyVariables makes an empty METRICD_* variable the same as none, as it is meant in a compose or
// unit file.
func dropEmptyVariables() {
	for _, variable := range os.Environ() {
		if name, value, _ := strings.Cut(variable, "="); value == "" && strings.HasPrefix(name, variablePrefix) {
			os.Unsetenv(name)
		}
	}
}
