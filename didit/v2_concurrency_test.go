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

// While all slots are taken, a body that X-Signature covers does not wait, and another one waits briefly.
func TestOnlyV2WaitsForASlot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := verifierAt(t, hookTime, hookSecret)
		for range DefaultV2Concurrency {
			v.v2Slots <- struct{}{}
		}
		began := time.Now()
		_, err := v.Verify(hookHeader(HeaderSignature, Sign(hookSecret, []byte(hookBody))), []byte(hookBody))
		require.NoError(t, err)
		assert.Zero(t, time.Since(began))

		v2 := http.Header{HeaderSignature: {strings.Repeat("0", 64)}, HeaderSignatureV2: {signV2(t, hookSecret, []byte(hookBody))}}
		_, err = v.Verify(v2, []byte(hookBody))
		require.ErrorIs(t, err, ErrBusy)
		assert.Equal(t, v2Wait, time.Since(began))

		time.AfterFunc(v2Wait/2, func() { <-v.v2Slots })
		_, err = v.Verify(v2, []byte(hookBody))
		require.NoError(t, err)
		assert.Len(t, v.v2Slots, DefaultV2Concurrency-1, "its own slot is free again")
	})
}

// Bodies that wait for a slot hold memory, so too many of them are refused at once.
func TestTheBodiesThatWaitForASlotAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := verifierAt(t, hookTime, hookSecret)
		for range DefaultV2Concurrency {
			v.v2Slots <- struct{}{}
		}
		began := time.Now()
		body := []byte(list(DefaultMaxBody, "0"))
		answers := make(chan error, 2*v2Bytes/len(body))
		for range cap(answers) {
			go func() {
				_, err := v.Verify(http.Header{HeaderSignatureV2: {strings.Repeat("0", 64)}}, body)
				answers <- err
			}()
		}
		synctest.Wait()
		assert.GreaterOrEqual(t, len(answers), cap(answers)/2-1)
		assert.Zero(t, time.Since(began))
		for range cap(answers) {
			require.ErrorIs(t, <-answers, ErrBusy)
		}
		assert.Zero(t, v.v2Held.Load())
	})
}
