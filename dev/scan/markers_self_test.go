package scan

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMarkersAreFoundInEveryForm(t *testing.T) {
	all := needles([]string{"lbQMu1g8fO4s"}, []string{"kX7pWq2Zt0Ra"})
	quoted, err := json.Marshal(markedMRZ)
	assert.NoError(t, err)
	for name, tc := range map[string]struct {
		data  string
		class class
	}{
		"as it is":            {"hello " + marker("first_name") + "!", "first_name"},
		"in capitals":         {"ZQXMARKERFIRSTNAMEQZ", "first_name"},
		"in a query":          {"?m=" + url.QueryEscape(markedEmail), "email"},
		"in JSON":             {string(quoted), "MRZ"},
		"in hex":              {"5A71784D61726B6572446F63756D656E744E756D626572517A", "document_number"},
		"in base64":           {base64.StdEncoding.EncodeToString([]byte(marker("address"))), "address"},
		"in base64, one on":   {base64.StdEncoding.EncodeToString([]byte("x" + marker("address") + "y")), "address"},
		"in base64, two on":   {base64.URLEncoding.EncodeToString([]byte("xx" + marker("address") + "yy")), "address"},
		"cut off":             {marker("last_name")[:len(prefix)+2], classAny},
		"a token":             {"/session/lbQMu1g8fO4s", classSession},
		"an erased token":     {`"kX7pWq2Zt0Ra"`, classErased},
		"a result secret":     {resultSecret, classResultSecret},
		"a payload key":       {payloadKeys, classPayloadKey},
		"between wild bytes":  {"\xff\xfe\x00" + apiKey + "\x80\x81", classAPIKey},
		"a number of a phone": {"tel:" + markedPhone, "phone"},
	} {
		t.Run(name, func(t *testing.T) {
			found := scan([]sink{{name: "here", data: []byte(tc.data)}}, all)
			if assert.Len(t, found, 1) {
				assert.Equal(t, tc.class, found[0].class)
				assert.NotContains(t, found[0].String(), marker("first_name"))
			}
			assert.Empty(t, scan([]sink{{name: "allowed", data: []byte(tc.data), may: []class{tc.class, classAny}}}, all))
		})
	}
	assert.Empty(t, scan([]sink{{data: []byte("Approved, ID_VERIFICATION, kyc-u1, 2026-11-23")}}, all))
}
