package didit

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// While others have all places, who signed the bytes as they are is not kept waiting, and who did not waits briefly.
func TestOnlyV2WaitsForAPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := verifierAt(t, hookTime, hookSecret)
		for range DefaultV2Places {
			v.places <- struct{}{}
		}
		began := time.Now()
		_, err := v.Verify(hookHeader(HeaderSignature, Sign(hookSecret, []byte(hookBody))), []byte(hookBody))
		require.NoError(t, err)
		assert.Zero(t, time.Since(began))

		v2 := http.Header{HeaderSignature: {strings.Repeat("0", 64)}, HeaderSignatureV2: {signV2(t, hookSecret, []byte(hookBody))}}
		_, err = v.Verify(v2, []byte(hookBody))
		require.ErrorIs(t, err, ErrBusy)
		assert.Equal(t, v2Wait, time.Since(began))

		time.AfterFunc(v2Wait/2, func() { <-v.places })
		_, err = v.Verify(v2, []byte(hookBody))
		require.NoError(t, err)
		assert.Len(t, v.places, DefaultV2Places-1, "its own place is free again")
	})
}
