package main

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"
)

// age is a length of time as a flag, as Prometheus writes them: 30d, 12h, 1y, 1d12h, 0.
type age time.Duration

// UnmarshalText reads an age.
func (a *age) UnmarshalText(text []byte) error {
	d, err := model.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no length of time: want such as 12h, 30d, 1y, 1d12h", text)
	}
	*a = age(d)
	return nil
}
