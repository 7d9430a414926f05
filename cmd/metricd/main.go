// Command metricd is the metrics server and its tools.
//
// Each command is a struct with its flags and a Run method, in a file of its own; kong fills it
// in from the arguments, the METRICD_* variables and the defaults. Results go to stdout, everything else
// to stderr.
//
// The exit code is 0 if all was done, 1 if something failed, and 2 if the command line made no sense. A
// command whose stdout is closed by its reader is ended by SIGPIPE, quietly, like any of Unix; the server goes on.
package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"

	"metricd"
	"metricd/internal/bench"
	"metricd/internal/collect"
)

const description = `A metrics server with a protocol a person can type, and its tools. Alone, or with flags of serve, "metricd" is
"metricd serve". Every flag can also be given as the variable that stands behind it in the help of its command; the flag wins.

Exit codes: 0 done; 1 failed, or in part; 2 the command line makes no sense.`

// commands is the whole command line.
type commands struct {
	Serve      serveCmd      `cmd:"" default:"withargs" help:"Run the server (the default command): metricd serve --listen 127.0.0.1:8888"`
	Put        putCmd        `cmd:"" help:"Store one sample, or a stream of them: metricd put palm.cpu 23.7"`
	Get        getCmd        `cmd:"" help:"Print the samples of one key, or of all: metricd get palm.cpu"`
	Export     exportCmd     `cmd:"" help:"Write samples to a file, as CSV or put lines: metricd export all.csv.gz"`
	Import     importCmd     `cmd:"" help:"Store the samples of files: metricd import all.csv.gz"`
	Backup     backupCmd     `cmd:"" help:"Copy the data of a running server: metricd backup DIR"`
	Restore    restoreCmd    `cmd:"" help:"Make a data directory of a backup: metricd restore BACKUP DIR"`
	Check      checkCmd      `cmd:"" help:"Check a data directory, and save what can be read of a damaged one: metricd check DIR"`
	Collect    collectCmd    `cmd:"" help:"Send this machine's own figures, until stopped: metricd collect"`
	Top        topCmd        `cmd:"" help:"Show what a server does, as it does it: metricd top"`
	Bench      benchCmd      `cmd:"" help:"Measure a server under load: metricd bench walk"`
	Version    versionCmd    `cmd:"" help:"Print which metricd this is: metricd version"`
	Completion completionCmd `cmd:"" help:"Print a script that completes command lines: source <(metricd completion bash)"`

	ShowVersion versionFlag `name:"version" help:"As metricd version."`
}

// server is what the commands that talk to a server have in common.
type server struct {
	Addr string `default:"${listen}" env:"METRICD_ADDR" placeholder:"HOST:PORT" help:"The server to talk to (default ${default})."`
}

// usageError says that the command line made no sense.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func main() { os.Exit(run(os.Args[1:])) }

// run carries out a command line and returns the exit code.
func run(args []string) int {
	dropEmptyVariables()
	parser, err := newParser()
	if err != nil {
		panic("BUG: " + err.Error())
	}
	kongcompletion.Register(parser)
	args = askedHelp(args)
	if err := errors.Join(validText(args), unknownCommand(parser, args)); err != nil {
		return fail(err, nil)
	}
	ctx, err := parser.Parse(joinNumbers(guardNumbers(args)))
	if err != nil {
		return fail(usageError{plainer(err)}, errorContext(err))
	}
	return fail(ctx.Run(), ctx)
}

// newParser returns the parser of command lines.
func newParser() (*kong.Kong, error) {
	return kong.New(&commands{},
		kong.Name("metricd"),
		kong.Description(description),
		kong.PostBuild(nameVariables),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true, WrapUpperBound: 110}),
		kong.Vars{
			"listen":    metricd.DefaultListen,
			"http":      metricd.DefaultHTTP,
			"data":      defaultData,
			"memory":    metricd.InMemory,
			"every":     collect.DefaultInterval.String(),
			"workloads": strings.Join(workloadNames(), ","),
			"workload":  bench.Workloads()[0].Name,
		})
}

// askedHelp returns args with "help" and "help COMMAND" as --help.
func askedHelp(args []string) []string {
	if len(args) == 0 || args[0] != "help" {
		return args
	}
	return append(slices.Clone(args[1:]), "--help")
}

// joinNumbers returns args with each negative number joined to the flag before it, as in --max-series=-1: kong would take it for a flag.
// Those of a put are guarded.
func joinNumbers(args []string) []string {
	var joined []string
	flag := false // whether the last one is a flag that may lack its value
	for _, arg := range args {
		if negative := len(arg) > 1 && arg[0] == '-' && arg[1] >= '0' && arg[1] <= '9'; negative && flag {
			joined[len(joined)-1] += "=" + arg
			flag = false
			continue
		}
		joined = append(joined, arg)
		flag = len(arg) > 2 && strings.HasPrefix(arg, "--") && !strings.Contains(arg, "=")
	}
	return joined
}

// unknownCommand refuses a first argument that is neither a flag nor a command: kong would take it for one of serve, which
// takes none.
func unknownCommand(parser *kong.Kong, args []string) error {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") ||
		slices.ContainsFunc(parser.Model.Children, func(c *kong.Node) bool { return c.Name == args[0] }) {
		return nil
	}
	parser.Model.DefaultCmd = nil // then kong's error ends in what may have been meant
	_, err := parser.Parse(args[:1])
	if _, hint, ok := strings.Cut(err.Error(), ", did you mean "); ok && args[0] != "" {
		return usagef("unknown command %q, did you mean %s", args[0], hint)
	}
	return usagef("unknown command %q", args[0])
}

// plainer returns an error of kong's without the words of its scanner, and without the empty one among the values of a flag.
func plainer(err error) error {
	if before, after, ok := strings.Cut(err.Error(), `,"" but got `); ok {
		return fmt.Errorf("%s but got %s", before, after)
	}
	const eol = ` value but got "EOL" (<EOL>)`
	if flag, _, ok := strings.Cut(err.Error(), ": expected "); ok && strings.HasSuffix(err.Error(), eol) {
		return fmt.Errorf("%s: there is no value behind it", flag)
	}
	return err
}

// validText refuses arguments that are not UTF-8: the flag parser would change them silently.
func validText(args []string) error {
	for _, a := range args {
		if !utf8.ValidString(a) {
			return usagef("%q is not UTF-8", a)
		}
	}
	return nil
}

// errorContext returns how far kong came with a command line that it refused with err; nil if unknown.
func errorContext(err error) *kong.Context {
	var parse *kong.ParseError
	if errors.As(err, &parse) {
		return parse.Context
	}
	return nil
}

// fail reports err, if there is one, and returns the exit code. ctx may be nil.
func fail(err error, ctx *kong.Context) int {
	var usage usageError
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &usage):
		fmt.Fprintf(os.Stderr, "metricd: %v\n", err)
		return 1
	}
	command := "metricd"
	if ctx != nil && ctx.Selected() != nil {
		command = ctx.Selected().FullPath()
	}
	fmt.Fprintf(os.Stderr, "metricd: %v\nrun %q to see what it takes\n", err, command+" --help")
	return 2
}
