package webui

import "strings"

// matches says whether If-None-Match names a tag, or any (RFC 9110, 13.1.2). Tags of ours hold no commas; W/, which a proxy may
// put in front, makes no difference here.
func matches(values []string, etag string) bool {
	for _, v := range strings.Split(strings.Join(values, ","), ",") {
		if v = strings.TrimSpace(v); v == "*" || strings.TrimPrefix(v, "W/") == etag {
			return true
		}
	}
	return false
}
