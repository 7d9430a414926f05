package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"metricd/client"
	"metricd/internal/decimal"
	"metricd/internal/lineproto"
)

// putCmd stores one sample or a stream of them.
type putCmd struct {
	Key       argument  `arg:"" optional:"" help:"One word of UTF-8 without control characters, other than *."`
	Value     argument  `arg:"" optional:"" help:"A decimal number, inf, -inf or nan; it is sent as it is."`
	Timestamp *argument `arg:"" optional:"" help:"Unix time in whole seconds; now if absent."`

	File string `short:"f" placeholder:"FILE" help:"Send the put lines of FILE, gzip or not; - is stdin."`

	server
}

// Help returns what --help says beside the flags.
func (*putCmd) Help() string {
	return `Examples:

    metricd put palm.cpu 23.7
    metricd put 'cpu;host=a;core=1' -5 1150864247
    zcat old.gz | metricd put -f -

A FILE has a line "put KEY VALUE TIMESTAMP" for each sample; blank lines are passed over, and gzip is known by its first bytes.
A line that is refused, or is no put, is reported on stderr with its number, and the others go on; the exit code is then 1. Of many
with the same reason the first ten are shown. A last line without a line end may be cut short, so it is not sent.

A KEY that begins with - is told from a flag by --: metricd put -- -key 5`
}

// argument is an argument that may begin with a minus sign; see guardNumbers.
type argument string

// guard marks a negative number for kong, which would take it for flags. No argument of a process can
// hold this byte.
const guard = "\x00"

// UnmarshalText takes the guard off.
func (a *argument) UnmarshalText(text []byte) error {
	*a = argument(strings.TrimPrefix(string(text), guard))
	return nil
}

// guardNumbers returns args, those of a put with a guard before every negative number.
func guardNumbers(args []string) []string {
	if len(args) == 0 || args[0] != "put" {
		return args
	}
	guarded := slices.Clone(args)
	for i, arg := range args {
		if number, minus := strings.CutPrefix(arg, "-"); minus && !strings.HasPrefix(number, "-") {
			if _, ok := decimal.Parse([]byte(number)); ok {
				guarded[i] = guard + arg
			}
		}
	}
	return guarded
}

// Run sends what the arguments say.
func (c *putCmd) Run() error {
	switch {
	case c.File != "" && c.Key != "":
		return usagef("KEY %q and --file %s: want one of them", string(c.Key), c.File)
	case c.File != "":
		return c.putFile()
	case c.Key == "":
		return usagef("nothing to put: want KEY VALUE [TIMESTAMP], or --file")
	case c.Value == "":
		return usagef("no value for %q: want KEY VALUE [TIMESTAMP]", string(c.Key))
	}
	at := strconv.FormatInt(time.Now().Unix(), 10)
	if c.Timestamp != nil {
		at = string(*c.Timestamp)
	}
	for _, word := range []string{string(c.Key), string(c.Value), at} {
		if word == "" || strings.ContainsAny(word, " \t\n") || strings.HasSuffix(word, "\r") {
			return usagef("%q: want one word, without white space", word)
		}
	}
	return c.putOne(at)
}

// putOne stores the sample at a time given as text.
func (c *putCmd) putOne(at string) error {
	ctx := context.Background()
	var refused error
	opts := client.WriterOptions{Options: clientOptions(), OnError: func(e *client.PutError) { refused = e.Err }}
	w, err := client.DialWriter(ctx, c.Addr, opts)
	if err != nil {
		return c.serverError(err)
	}
	err = w.PutLine([]byte("put " + string(c.Key) + " " + string(c.Value) + " " + at))
	if closed := w.Close(ctx); err == nil {
		err = closed
	}
	if err == nil {
		err = refused // Close has waited for the goroutine that set it
	}
	if errors.Is(err, client.ErrWrongCommand) {
		return fmt.Errorf("%w: %s", c.serverError(err), cmp.Or(malformed(string(c.Key), string(c.Value), at), tooLong))
	}
	return c.serverError(err)
}

// tooLong is what can be wrong with a put that is well-formed.
const tooLong = "the key or the line may be longer than the server takes (--max-key, --max-line)"

// explain says what is wrong with a put line, "" if nothing is.
func explain(line string) string {
	words := strings.FieldsFunc(strings.TrimSuffix(line, "\r"), func(r rune) bool { return r == ' ' || r == '\t' })
	if len(words) != 4 {
		return "want put KEY VALUE TIMESTAMP, such as put palm.cpu 23.7 1150864247"
	}
	return malformed(words[1], words[2], words[3])
}

// malformed says what is wrong with the words of a put, "" if nothing is.
func malformed(key, value, at string) string {
	if !lineproto.ValidKey([]byte(key)) {
		return fmt.Sprintf("KEY %q: want one word of UTF-8 without control characters, other than *", key)
	}
	if _, ok := decimal.Parse([]byte(value)); !ok {
		return fmt.Sprintf("VALUE %q: want a decimal number, inf, -inf or nan", value)
	}
	if _, ok := lineproto.ParseTime([]byte(at)); !ok {
		return fmt.Sprintf("TIMESTAMP %q: want a whole number of seconds since 1970, at most %d", at, int64(lineproto.MaxTimestamp))
	}
	return ""
}
