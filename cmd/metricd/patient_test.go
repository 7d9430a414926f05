package main

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestPatientWriter: nobody reads, and nobody who writes waits; who reads later is told what is missing.
func TestPatientWriter(t *testing.T) {
	r, w := io.Pipe()
	p := newPatientWriter(w)
	const lines = 5000
	for i := range lines {
		if n, err := fmt.Fprintf(p, "line %d\n", i); n == 0 || err != nil {
			t.Fatal(n, err)
		}
	}
	text := make(chan string)
	go func() {
		b, _ := io.ReadAll(r)
		text <- string(b)
	}()
	p.Close()
	w.Close()
	got := <-text
	came := strings.Count("\n"+got, "\nline ")
	dropped := int(p.dropped.Load()) // since it was last told
	for _, told := range regexp.MustCompile(`(\d+) lines were dropped here`).FindAllStringSubmatch(got, -1) {
		n, _ := strconv.Atoi(told[1])
		dropped += n
	}
	if dropped < lines/2 || came+dropped != lines {
		t.Errorf("%d lines came and %d were dropped, of %d", came, dropped, lines)
	}
}
