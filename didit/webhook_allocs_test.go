//go:build !race

package didit

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What cannot run under the race detector: it makes sync.Pool forget on purpose, and shadows memory that is never touched.

func TestSourceIsBounded(t *testing.T) {
	_, err := SignV2(hookSecret, make([]byte, maxSource+1))
	require.ErrorIs(t, err, ErrMalformed)
	require.ErrorContains(t, err, "over")
}

func TestVerifyHardlyAllocates(t *testing.T) {
	v := verifierAt(t, hookTime, "another secret", hookSecret)
	for _, size := range []int{1 << 10, 64 << 10} {
		body := webhookBody(t, size)
		for name, h := range map[string]http.Header{
			"raw": {HeaderSignature: {Sign(hookSecret, body)}},
			"v2":  {HeaderSignature: {Sign("", body)}, HeaderSignatureV2: {signV2(t, hookSecret, body)}},
		} {
			allocations := testing.AllocsPerRun(100, func() {
				if _, err := v.Verify(h, body); err != nil {
					t.Error(err)
				}
			})
			assert.LessOrEqual(t, allocations, 4.0, "%s, %d bytes", name, size)
		}
	}
}
