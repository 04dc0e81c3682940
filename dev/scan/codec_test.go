package scan

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"didit-temporal/dev/harness"
	"didit-temporal/kyc"
)

// decrypt asks the codec server, in right and in wrong ways. There is one where there are keys.
func (w *env) decrypt() {
	w.t.Helper()
	if w.keys == "" {
		return
	}
	address := harness.Address(w.t)
	w.launch("starter", []string{"codec-server"}, "PAYLOAD_KEYS="+w.keys, "CODEC_ADDR="+address, "CODEC_TOKENS="+bearer)
	call := func(path, body string, header map[string]string, may ...class) (int, string) {
		w.t.Helper()
		return w.call(sink{name: "answer of the codec server", may: may}, http.MethodPost, "http://"+address+path, body, header)
	}
	mine := map[string]string{"Authorization": "Bearer " + bearer, "Content-Type": "application/json"}
	code, plain := call("/decode", w.ciphertext("approved"), mine)
	require.Equal(w.t, http.StatusOK, code, plain)
	require.NotContains(w.t, plain, "binary/encrypted")
	code, _ = call("/decode", w.ciphertext("approved"), map[string]string{"Authorization": "Bearer " + marker("stranger")})
	require.Equal(w.t, http.StatusUnauthorized, code)
	call("/decode", w.ciphertext("approved"), map[string]string{"Origin": "https://" + marker("stranger") + ".test", "Cookie": "codec_session=" + marker("cookie")})
	call("/login", "token="+marker("stranger"), map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
	call("/login", "token="+bearer, map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
	for _, body := range []string{
		marker("stranger"), `{"payloads":[{"metadata":{"encoding":"` + marker("stranger") + `"}}]}`, `{"` + marker("stranger") + `":1}`,
		strings.Replace(w.ciphertext("approved"), `"data":"`, `"data":"AAAA`, 1),
	} {
		call("/decode", body, mine, classStranger, classAny) // shown to the operator who sent it
		call("/encode", body, mine, classStranger, classAny)
	}
}

// ciphertext is a payload of a user's history, as the Web UI sends it.
func (w *env) ciphertext(user string) string {
	w.t.Helper()
	events := w.Temporal().GetWorkflowHistory(w.within(timeout), kyc.WorkflowID(user), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	ev, err := events.Next()
	require.NoError(w.t, err)
	body, err := protojson.Marshal(&commonpb.Payloads{Payloads: ev.GetWorkflowExecutionStartedEventAttributes().GetInput().GetPayloads()})
	require.NoError(w.t, err)
	require.True(w.t, json.Valid(body))
	return strings.ReplaceAll(string(body), ": ", ":")
}
