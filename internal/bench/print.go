package bench

import (
	"encoding/binary"
	"strconv"

	"metricd/internal/lineproto"
)

// digitWords are the parts of the text of a value in hundredths.
type digitWords struct {
	whole [maxCents/100 + 1]word // "0." to "100."
	cents [100]word              // "0", "01" to "99": no 0 at the end of two digits
}

// word is up to seven bytes of text, first byte lowest.
type word struct {
	text uint64
	n    int // length of text
}

func newWord(text string) word {
	var b [8]byte
	n := copy(b[:], text)
	return word{binary.LittleEndian.Uint64(b[:]), n}
}

func newDigitWords() (d digitWords) {
	for k := range d.whole {
		d.whole[k] = newWord(strconv.Itoa(k) + ".")
	}
	for k := range d.cents {
		two := string([]byte{byte('0' + k/10), byte('0' + k%10)})
		if k%10 == 0 {
			two = two[:1]
		}
		d.cents[k] = newWord(two)
	}
	return d
}

// appendCents appends a value in hundredths as the protocol prints it: the shortest digits, .0 on
// whole numbers. It writes up to 8 bytes, less the text, behind it.
func (d *digitWords) appendCents(dst []byte, cents uint) []byte {
	whole, part := d.whole[cents/100], d.cents[cents%100]
	dst = binary.LittleEndian.AppendUint64(dst, whole.text|part.text<<(8*whole.n))
	return dst[:len(dst)-8+whole.n+part.n]
}

// appendValue appends the text of the value of sample i of series s.
func (l *load) appendValue(dst []byte, s, i int) []byte {
	return l.appendCents(dst, uint(l.valueOf(s, i)))
}

// appendPut appends the put of sample i of series s; end is its tail.
func (l *load) appendPut(dst []byte, s, i int, end []byte) []byte {
	dst = append(dst, l.puts[l.ends[s]:l.ends[s+1]]...)
	dst = l.appendValue(dst, s, i)
	return append(dst, end...)
}

// appendRow appends sample i of series s as a row of a reply to get.
func (l *load) appendRow(dst []byte, s, i int, end []byte) []byte {
	dst = append(dst, l.puts[int(l.ends[s])+len("put "):l.ends[s+1]]...)
	dst = l.appendValue(dst, s, i)
	return append(dst, end...)
}

// appendTail appends the end of the lines of sample i: a space, its time, the line end.
func (l *load) appendTail(dst []byte, p *lineproto.TimePrinter, i int) []byte {
	dst = append(dst, ' ')
	dst = p.Append(dst, l.time(i))
	return append(dst, '\n')
}
