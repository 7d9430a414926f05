package tsdb

import (
	"encoding/binary"
	"fmt"
	"math"
)

// recordVisitor takes what a record holds, in its order.
type recordVisitor interface {
	// series: a series comes into being. The key is valid during the call.
	series(id uint64, key []byte) error
	// row: a sample, a value by its bits, at t ms.
	row(id uint64, t int64, bits uint64) error
	// removed: the samples of the series in [mint, maxt], in ms, are gone; if it is ended, that is all
	// it had, and its id will not come again.
	removed(id uint64, mint, maxt int64, ended bool) error
}

// readRecord gives what the record b holds to v. It ends at the first error that v returns, and
// returns it; a record that is malformed is an error that says what is wrong at which byte,
// after what precedes it was given to v. No bytes hold nothing.
func readRecord(b []byte, v recordVisitor) error {
	if len(b) == 0 {
		return nil
	}
	if b[0] != recordVersion {
		return fmt.Errorf("record of the log: byte 0: its version is %d, not %d: written by a newer metricd, or damaged", b[0], recordVersion)
	}
	r := recordReader{b: b, at: 1}
	for r.at < len(b) {
		start := r.at
		control := b[start]
		r.at++
		var err error
		if control&idMask == idOther {
			err = r.other(control, v)
		} else if r.row(control); r.wrong == "" {
			err = v.row(r.before.id, r.before.t, r.before.bits)
		}
		if r.wrong != "" {
			return fmt.Errorf("record of the log: byte %d of %d: %s", start, len(b), r.wrong)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// recordReader reads a record.
type recordReader struct {
	b      []byte
	at     int
	wrong  string // what is malformed; empty: nothing so far
	before rowBefore

	named      uint64
	lastGone   uint64
	mint, maxt int64
	inRemoval  bool
}

const wrongEnd = "it is cut off"

// row reads a row into before.
func (r *recordReader) row(control byte) {
	switch control & idMask {
	case idNext:
		r.before.id++
	case idStep:
		r.before.id += unzigzag(r.varint())
	}
	switch control & timeMask {
	case timeStep:
		r.before.t += r.before.step
	case timeSeconds:
		r.advance(int64(unzigzag(r.varint())) * 1000)
	case timeMillis:
		r.advance(int64(unzigzag(r.varint())))
	}
	switch value := control >> valueShift; {
	case value < valueDecimal:
		r.before.bits = math.Float64bits(float64(r.integer()) / signedPowers[value])
	case value != valueSame:
		r.before.bits = r.rareValue(value)
	}
}

// advance adds step to the time.
func (r *recordReader) advance(step int64) {
	r.before.t += step
	if step != 0 {
		r.before.step = step
	}
}

// rareValue reads what is no short decimal.
func (r *recordReader) rareValue(value byte) (bits uint64) {
	if value == valueRaw {
		if len(r.b)-r.at < 8 {
			r.wrong = wrongEnd
			return 0
		}
		r.at += 8
		return binary.LittleEndian.Uint64(r.b[r.at-8:])
	}
	if r.at == len(r.b) {
		r.wrong = wrongEnd
		return 0
	}
	kind := r.b[r.at]
	r.at++
	if value == valueSpecial {
		if int(kind) >= len(recordSpecials) {
			r.wrong = "there is no such special value"
			return 0
		}
		return recordSpecials[kind]
	}
	k := kind &^ signBit
	if k > maxRecordExponent {
		r.wrong = "the exponent of a decimal is too large"
		return 0
	}
	return math.Float64bits(float64(r.integer())/recordPowers[k]) | uint64(kind&signBit)<<56
}

// integer reads the m of a decimal.
func (r *recordReader) integer() int64 {
	m := r.varint()
	if m >= maxRecordInteger {
		r.wrong = "the integer of a decimal is too large"
	}
	return int64(m)
}

// other reads what is no row.
func (r *recordReader) other(control byte, v recordVisitor) error {
	switch control {
	case entrySeries:
		r.named += unzigzag(r.varint())
		if key := r.key(); r.wrong == "" {
			return v.series(r.named, key)
		}
	case entryRemove:
		r.mint, r.maxt = int64(unzigzag(r.varint())), int64(unzigzag(r.varint()))
		r.lastGone, r.inRemoval = 0, true
	case entryRemoved, entryEnded:
		r.lastGone += r.varint()
		if !r.inRemoval {
			r.wrong = "a removed series without a removal"
		}
		if r.wrong == "" {
			return v.removed(r.lastGone, r.mint, r.maxt, control == entryEnded)
		}
	default:
		r.wrong = "there is no such entry"
	}
	return nil
}

// key reads a length and as many bytes.
func (r *recordReader) key() []byte {
	n := r.varint()
	if n > uint64(len(r.b)-r.at) {
		r.wrong = wrongEnd
		return nil
	}
	key := r.b[r.at : r.at+int(n) : r.at+int(n)]
	r.at += int(n)
	return key
}
