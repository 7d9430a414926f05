package lineproto

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A second, naive reading of the protocol, to compare with.

var (
	numberText = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$`)
	infText    = regexp.MustCompile(`^[+-]?(?i:inf|infinity)$`)
	nanText    = regexp.MustCompile(`^[+-]?(?i:nan)$`)
	timeText   = regexp.MustCompile(`^[+-]?[0-9]+$`)
)

// event is a request as text, with its value by bits; all NaN are one.
func event(kind Kind, key string, v float64, t int64) string {
	if v != v {
		v = math.NaN()
	}
	switch kind {
	case Put:
		return fmt.Sprintf("put %q %x %d", key, math.Float64bits(v), t)
	case Get:
		return fmt.Sprintf("get %q", key)
	case GetAll:
		return "get all"
	case Blank:
		return ""
	case Malformed:
		return "malformed"
	}
	return fmt.Sprintf("kind %d", kind)
}

// refLine reads a line without its `\n`.
func refLine(line string, maxLine, maxKey int) string {
	if len(line) > maxLine {
		return event(Malformed, "", 0, 0)
	}
	line = strings.TrimSuffix(line, "\r")
	var tokens []string
	for _, s := range strings.Split(strings.ReplaceAll(line, "\t", " "), " ") {
		if s != "" {
			tokens = append(tokens, s)
		}
	}
	switch {
	case len(tokens) == 0:
		return ""
	case len(tokens) == 2 && tokens[0] == "get" && tokens[1] == "*":
		return event(GetAll, "", 0, 0)
	case len(tokens) == 2 && tokens[0] == "get" && refKey(tokens[1], maxKey):
		return event(Get, tokens[1], 0, 0)
	case len(tokens) == 4 && tokens[0] == "put" && tokens[1] != "*" && refKey(tokens[1], maxKey):
		v, vok := refValue(tokens[2])
		t, tok := refTime(tokens[3])
		if vok && tok {
			return event(Put, tokens[1], v, t)
		}
	}
	return event(Malformed, "", 0, 0)
}

func refKey(key string, maxKey int) bool {
	return len(key) <= maxKey && utf8.ValidString(key) && strings.IndexFunc(key, unicode.IsControl) < 0
}

func refValue(s string) (v float64, ok bool) {
	if nanText.MatchString(s) {
		return math.NaN(), true
	}
	v, _ = strconv.ParseFloat(s, 64) // out of range: ±Inf
	return v, numberText.MatchString(s) || infText.MatchString(s)
}

func refTime(s string) (t int64, ok bool) {
	t, err := strconv.ParseInt(s, 10, 64)
	return t, timeText.MatchString(s) && err == nil && t >= -9e15 && t <= 9e15
}

// refRequests reads the whole input of a connection. Blank lines are left out.
func refRequests(input []byte, maxLine, maxKey int) (events []string) {
	lines := strings.Split(string(input), "\n")
	for i, line := range lines {
		e := refLine(line, maxLine, maxKey)
		if i == len(lines)-1 && e != "" {
			e = "malformed" // it may be cut short
		}
		if e != "" {
			events = append(events, e)
		}
	}
	return events
}

// readRequests reads input as a session does, in reads that cuts gives the lengths of,
// cyclically; no cuts is one read. The bytes kept between reads must be at most MaxLine.
func readRequests(p *Parser, input, cuts []byte) (events []string, err error) {
	var req Request
	var buf []byte
	for i := 0; len(input) > 0; i++ {
		n := len(input)
		if len(cuts) > 0 {
			n = min(n, int(cuts[i%len(cuts)])+1)
		}
		buf = append(bytes.Clone(buf), input[:n]...) // cloned: nothing may hold on to it
		input = input[n:]
		for len(buf) > 0 {
			n := p.Next(buf, &req)
			if n < 0 || n > len(buf) || (n == 0) != (req.Kind == Incomplete) {
				return nil, fmt.Errorf("took %d of %d bytes for kind %d", n, len(buf), req.Kind)
			}
			if n == 0 {
				break
			}
			if e := event(req.Kind, string(req.Key), req.Value, req.Time); e != "" {
				events = append(events, e)
			}
			buf = buf[n:]
		}
		if len(buf) > p.maxLine() {
			return nil, fmt.Errorf("%d bytes left of a line of at most %d", len(buf), p.maxLine())
		}
	}
	if p.Unanswered(buf) {
		events = append(events, "malformed")
	}
	return events, nil
}
