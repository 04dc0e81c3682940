package version

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestABuildIsNamed(t *testing.T) {
	b := Get()
	assert.NotEmpty(t, b.Version)
	assert.NotEmpty(t, b.Revision)
	assert.Equal(t, runtime.Version(), b.Go)
	assert.Equal(t, b.Version+", revision "+b.Revision+", "+b.Go, b.String())
}

func TestTheLinkersVersionGoesFirst(t *testing.T) {
	version, revision = "v1.2.3", "abc"
	t.Cleanup(func() { version, revision = "", "" })
	assert.Equal(t, Build{Version: "v1.2.3", Revision: "abc", Go: runtime.Version()}, Get())
}
