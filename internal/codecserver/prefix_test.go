package codecserver

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestThePathOfTheCookieFollowsAProxysPrefix(t *testing.T) {
	for given, want := range map[string]string{
		"": "", "/codec": "/codec", "/codec/": "/codec", "/a/b-c": "/a/b-c",
		"codec": "", "/": "", "//x": "", "/codec; Domain=x": "", "/a b": "", "https://x/codec": "",
	} {
		r := httptest.NewRequest(http.MethodPost, "/login", nil)
		r.Header.Set("X-Forwarded-Prefix", given)
		assert.Equal(t, want, prefixOf(r), "%q", given)
	}
}
