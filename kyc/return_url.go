package kyc

import (
	"net/url"
	"regexp"
)

// maxReturnURL is the length of the longest return URL.
const maxReturnURL = 2048

func validReturnURL(s string) bool {
	if s == "" {
		return true
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || len(s) > maxReturnURL || u.User != nil || u.Opaque != "":
		return false
	case u.Scheme == "https" || u.Scheme == "http":
		return u.Hostname() != ""
	}
	return appScheme.MatchString(u.Scheme) && !browserScheme.MatchString(u.Scheme) && u.Host+u.Path != ""
}

// A link of an app has a scheme of its own. Those that a browser takes for itself are refused: they may run code.
var (
	appScheme     = regexp.MustCompile(`^[a-z][a-z0-9+.-]*$`)
	browserScheme = regexp.MustCompile(`^(about|blob|content|data|file|filesystem|ftp|intent|javascript|vbscript|view-source|wss?)$`)
)
