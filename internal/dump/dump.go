// Package dump is the text of exports and imports: samples in CSV, without loss, or as put lines.
//
// # CSV
//
// RFC 4180 with a header; lines end in \n, and \r\n is read, too. A line is a sample:
//
//	key,milliseconds,value
//	palm.cpu,1150864247000,23.7
//	"cpu;path=a,b",1150864247500,-0.0
//	palm.up,1150864248000,stale
//
//	key           quoted if it holds a comma or a quote, which is doubled. It holds no line end
//	milliseconds  since the Unix epoch, a decimal integer with an optional sign, within storage.MinTime and MaxTime
//	value         as package decimal has it: the shortest text that reads back the same, inf, -inf, -0.0, nan; and
//	stale         Prometheus' staleness marker, the NaN with the bits 7ff0000000000002
//	nan:XXXXXXXXXXXXXXXX   any other NaN but decimal's own (7ff8000000000000), by its bits in hexadecimal
//
// The first line has to be the header: so a file of other columns (seconds, say) is not taken for one of these. It may
// come again, so that files can be joined. All fields may be quoted when read.
//
// # Put lines
//
// They are requests of the line protocol, `put KEY VALUE SECONDS`. They hold one sample a second, as get shows it:
// that at the whole second where there is one, else the last in it. Loss counts what they could not hold.
package dump

import (
	"fmt"
	"math"
	"strings"

	"metricd/internal/storage"
)

// Format is the format of a dump.
type Format string

// The formats.
const (
	CSV Format = "csv"
	Put Format = "put"
)

// ParseFormat returns the format called name.
func ParseFormat(name string) (Format, error) {
	switch f := Format(name); f {
	case CSV, Put:
		return f, nil
	}
	return "", fmt.Errorf("no format %q: want csv or put", name)
}

// FormatOf returns the format of a dump by its beginning, which is to be at least as long as Header: CSV if there is a comma in
// the first line, and that begins with another word than put; else Put. So CSV with another header is told as that.
func FormatOf(start []byte) Format {
	line, _, _ := strings.Cut(string(start), "\n")
	first, _, _ := strings.Cut(strings.TrimLeft(line, " \t"), " ")
	if strings.Contains(line, ",") && first != "put" && !strings.HasPrefix(first, "put\t") {
		return CSV
	}
	return Put
}

// Header is the first line of CSV, without its end.
const Header = "key,milliseconds,value"

// Loss counts what put lines could not hold. CSV holds everything.
type Loss struct {
	Cut       int64 // samples whose milliseconds were cut off
	Collapsed int64 // samples left out, since another one stands for their second
	NaN       int64 // samples whose NaN has other bits than that of the line protocol
	Stale     int64 // staleness markers left out
}

const (
	plainBits = 0x7ff8000000000000 // what decimal reads nan as
	staleName = "stale"
	nanPrefix = "nan:"
)

func isStale(v float64) bool { return math.Float64bits(v) == storage.StaleNaN }
