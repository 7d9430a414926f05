package main

import (
	"fmt"
	"strings"
	"testing"
)

// TestComplaints: of many lines with one reason the first are shown and the others counted, whatever else comes between.
func TestComplaints(t *testing.T) {
	var got strings.Builder
	c := complaints{printf: func(format string, args ...any) { fmt.Fprintf(&got, format, args...) }, where: "a.csv: "}
	for i := range int64(1234) {
		c.add(i+1, []byte("put a 1 1\n"), fmt.Sprintf("disk is full: until 12.5 MiB are free, now %d.%d", i/10, i%10))
	}
	for _, value := range []string{"x", `"`, `a "b" c`, ""} {
		c.add(2000, []byte("put a x 1\n"), fmt.Sprintf("VALUE %q: want a decimal number", value))
	}
	c.end()
	lines := strings.Split(strings.TrimSuffix(got.String(), "\n"), "\n")
	if len(lines) != shownEach+4+1 || lines[9] != `a.csv: line 10: "put a 1 1": disk is full: until 12.5 MiB are free, now 0.9` ||
		lines[14] != "a.csv: and 1,224 lines more for the same reason as line 1" {
		t.Errorf("got %d lines:\n%s", len(lines), &got)
	}
	if n := len(c.mu.reasons); n != 2 {
		t.Errorf("%d reasons, want 2", n)
	}
}

func TestExplain(t *testing.T) {
	for line, want := range map[string]string{
		"put a 1":               "want put KEY VALUE TIMESTAMP, such as put palm.cpu 23.7 1150864247",
		"put":                   "want put KEY VALUE TIMESTAMP, such as put palm.cpu 23.7 1150864247",
		"put a 1 1 host=a":      "want put KEY VALUE TIMESTAMP, such as put palm.cpu 23.7 1150864247",
		" put\ta 0x1  1":        `VALUE "0x1": want a decimal number, inf, -inf or nan`,
		"put a 1 1.5\r":         `TIMESTAMP "1.5": want a whole number of seconds since 1970, at most 9000000000000000`,
		"put * 1 1":             `KEY "*": want one word of UTF-8 without control characters, other than *`,
		"put a 1 1":             "",
		"put a\x01 1 1":         `KEY "a\x01": want one word of UTF-8 without control characters, other than *`,
		"put a\u00a0b 1 1":      "",
		"put a 1150864247 23.7": `TIMESTAMP "23.7": want a whole number of seconds since 1970, at most 9000000000000000`,
	} {
		if got := explain(line); got != want {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
}
