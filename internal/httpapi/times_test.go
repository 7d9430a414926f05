package httpapi

import (
	"fmt"
	"net/http"
	"testing"
)

// TestFarTimes: where the engine would answer wrongly, there is an error; and steps over all of its time are counted right.
func TestFarTimes(t *testing.T) {
	s := serve(t, Config{Store: memory(t)})
	for path, want := range map[string]int{
		"query?query=vector(time())&time=9200000000":                                   http.StatusOK,
		"query?query=vector(time())&time=9200000001":                                   http.StatusBadRequest,
		"query?query=vector(time())&time=-1e12":                                        http.StatusBadRequest,
		"query_range?query=1&start=1&end=1e12&step=1e12":                               http.StatusBadRequest,
		"query_range?query=1&start=-1e10&end=1&step=1e12":                              http.StatusBadRequest,
		fmt.Sprintf("query_range?query=1&start=-9.2e9&end=9.2e9&step=%d", 840_000):     http.StatusBadRequest, // 21,905 steps
		fmt.Sprintf("query_range?query=1&start=-9.2e9&end=9.2e9&step=%d", 1_700_000):   http.StatusOK,         // 10,824
		fmt.Sprintf("query_range?query=1&start=0&end=%d&step=%d", 11_000*60, 60):       http.StatusOK,
		fmt.Sprintf("query_range?query=1&start=0&end=%d&step=%d", 11_001*60, 60):       http.StatusBadRequest,
		fmt.Sprintf("query_range?query=1&start=0&end=%d&step=%v", 11_000, 0.9999999):   http.StatusOK,
		fmt.Sprintf("query_range?query=1&start=0&end=%d&step=%v", 11_002, 0.999909):    http.StatusBadRequest,
		fmt.Sprintf("query_range?query=1&start=0&end=%d&step=%v", 1, "9223372036.854"): http.StatusOK,
	} {
		if got := s.status("/api/v1/" + path); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
}
