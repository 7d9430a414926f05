package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// constant has the data of paths that are about what there is not here: nothing is scraped, no rules are evaluated, there are no
// blocks and no configuration file.
var constant = map[string]string{
	"alerts":             `{"alerts":[]}`,
	"alertmanagers":      `{"activeAlertmanagers":[],"droppedAlertmanagers":[]}`,
	"notifications":      `[]`,
	"scrape_pools":       `{"scrapePools":[]}`,
	"status/config":      `{"yaml":"# metricd has no configuration file: its flags are at /api/v1/status/flags\n"}`,
	"status/tsdb/blocks": `{"blocks":[]}`,
	"status/walreplay":   `{"min":0,"max":0,"current":0}`,
}

// targets answers that there are none; whoever asks for active ones only is given no counts of others.
func (s *Server) targets(_ *http.Request, q url.Values) (found, error) {
	counts := "{}"
	switch strings.ToLower(q.Get("state")) {
	case "", "any", "dropped":
	default:
		counts = "null"
	}
	return foundData(`{"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":` + counts + "}"), nil
}

// rules answers that there are none, if that was asked properly.
func (s *Server) rules(_ *http.Request, q url.Values) (found, error) {
	if _, err := s.engine.Selectors(q["match[]"]); err != nil {
		return found{}, err
	}
	switch kind := strings.ToLower(q.Get("type")); kind {
	case "", "alert", "record":
	default:
		return found{}, invalid("type", fmt.Errorf("not supported value %q", kind))
	}
	if text := strings.ToLower(q.Get("exclude_alerts")); text != "" {
		if _, err := strconv.ParseBool(text); err != nil {
			return found{}, invalid("exclude_alerts", fmt.Errorf("error converting exclude_alerts: %w", err))
		}
	}
	token, limit := q.Get("group_next_token"), q.Get("group_limit")
	if limit != "" {
		n, err := strconv.ParseInt(limit, 10, 32)
		if err != nil {
			return found{}, invalid("group_limit", fmt.Errorf("group_limit needs to be a valid number: %w", err))
		}
		if n <= 0 {
			return found{}, invalid("group_limit", errors.New("group_limit needs to be greater than 0"))
		}
	}
	switch {
	case token != "" && limit == "":
		return found{}, invalid("group_next_token", errors.New("group_limit needs to be present in order to paginate over the groups"))
	case token != "":
		return found{}, invalid("group_next_token", fmt.Errorf("invalid group_next_token '%v'. were rule groups changed?", token))
	}
	return foundData(`{"groups":[]}`), nil
}
