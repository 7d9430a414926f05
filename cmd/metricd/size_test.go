package main

import "testing"

func TestSize(t *testing.T) {
	for text, want := range map[string]size{
		"0": 0, "4096": 4096, "64KiB": 65536, "64 kib": 65536, "512MB": 512e6, "2GiB": 2 << 30, "1.5GiB": 3 << 29,
	} {
		var got size
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "x", "-1", "1XB", "99999999PiB", "9EiB", "nan", "inf"} {
		var got size
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is %d, want an error", text, got)
		}
	}
}

func TestMemoryLimit(t *testing.T) {
	for text, want := range map[string]memoryLimit{"auto": 0, "none": -1, "0": -1, "NONE": -1, "512MB": 512e6} {
		got := memoryLimit(7)
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
	var got memoryLimit
	if err := got.UnmarshalText([]byte("half")); err == nil {
		t.Errorf("half is %d, want an error", got)
	}
}

func TestGuardNumbers(t *testing.T) {
	for arg, guarded := range map[string]bool{
		"-5": true, "-.5": true, "-1e3": true, "-inf": true, "-Infinity": true, "-NaN": true,
		"-f": false, "--addr": false, "-": false, "--": false, "5": false, "key-5": false, "-info": false,
	} {
		got := guardNumbers([]string{"put", arg})[1]
		if (got != arg) != guarded {
			t.Errorf("%q became %q, want guarded: %v", arg, got, guarded)
		}
		var back argument
		if err := back.UnmarshalText([]byte(got)); err != nil || string(back) != arg {
			t.Errorf("%q came back as %q, %v", arg, back, err)
		}
		if got := guardNumbers([]string{"bench", arg})[1]; got != arg {
			t.Errorf("bench %q became %q", arg, got)
		}
	}
}
