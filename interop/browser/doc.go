// Package browser looks at metricd's page with Debian's chromium, started without a window, as its user would: it types, drags, goes back, and
// reads what is shown. It has tests only. A page that writes an error to its console, or asks another host for something, fails its test.
package browser
