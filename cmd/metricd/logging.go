package main

import (
	"io"
	"log/slog"
)

// logging are the flags of the commands that run until they are stopped.
type logging struct {
	LogFormat string `group:"Logging (to stderr):" enum:"text,json" default:"text" placeholder:"FORMAT" help:"text (the default) or json."`
	LogLevel  string `group:"Logging (to stderr):" enum:"debug,info,warn,error" default:"info" placeholder:"LEVEL" help:"What to log: debug, info (the default), warn or error, and what is worse."`
}

// logger returns the logger that the flags ask for.
func (c *logging) logger(w io.Writer) (*slog.Logger, error) {
	var opts slog.HandlerOptions
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return nil, usageError{err}
	}
	opts.Level = level
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, &opts)), nil
	}
	return slog.New(slog.NewTextHandler(w, &opts)), nil
}
