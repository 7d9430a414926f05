package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/dustin/go-humanize"
)

// size is a number of bytes as a flag: 4096, 64KiB (of 1,024), 512MB (of 1,000), 1.5GiB.
type size int64

// UnmarshalText reads a size.
func (s *size) UnmarshalText(text []byte) error {
	n, err := humanize.ParseBytes(string(text))
	if err != nil || n > math.MaxInt64/2 {
		return fmt.Errorf("%q is no size: want a number of bytes, or one with a unit such as 64KiB, 512MB, 2GiB", text)
	}
	*s = size(n)
	return nil
}

// memoryLimit is metricd.Config.MemoryLimit as a flag: a size, "auto" or "none".
type memoryLimit int64

// UnmarshalText reads a memory limit. 0 is none, as it is for the other limits.
func (m *memoryLimit) UnmarshalText(text []byte) error {
	switch strings.ToLower(string(text)) {
	case "auto":
		*m = 0
		return nil
	case "none":
		*m = -1
		return nil
	}
	var s size
	if err := s.UnmarshalText(text); err != nil {
		return fmt.Errorf("%w, or auto, or none", err)
	}
	if *m = memoryLimit(s); s == 0 {
		*m = -1
	}
	return nil
}
