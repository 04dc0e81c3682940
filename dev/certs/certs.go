package e2e

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// authority is a CA of a test, in a folder of its own.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  crypto.Signer
	file string // of its certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	template := certificateFor("authority of a test")
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	a := &authority{t: t, cert: template, key: key, file: filepath.Join(t.TempDir(), "ca.pem")}
	der := a.sign(template, key)
	a.cert, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	writePEM(t, a.file, "CERTIFICATE", der)
	return a
}

// issue makes a certificate, for servers and clients, and returns the files of it and of its key.
func (a *authority) issue(commonName string, names ...string) (cert, key string) {
	a.t.Helper()
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a.t, err)
	template := certificateFor(commonName)
	template.DNSNames, template.IPAddresses = names, []net.IP{net.IPv4(127, 0, 0, 1)}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(signer)
	require.NoError(a.t, err)
	dir := a.t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writePEM(a.t, cert, "CERTIFICATE", a.sign(template, signer))
	writePEM(a.t, key, "PRIVATE KEY", pkcs8)
	return cert, key
}

func (a *authority) sign(template *x509.Certificate, of crypto.Signer) []byte {
	a.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, of.Public(), a.key)
	require.NoError(a.t, err)
	return der
}

// client is the environment of a process with a certificate.
func (a *authority) client(commonName string) []string {
	a.t.Helper()
	cert, key := a.issue(commonName)
	return append(a.trust(), "TEMPORAL_TLS_CLIENT_CERT_PATH="+cert, "TEMPORAL_TLS_CLIENT_KEY_PATH="+key)
}

// trust is the environment of a process that has no certificate, and knows the server's.
func (a *authority) trust() []string { return []string{"TEMPORAL_TLS_SERVER_CA_CERT_PATH=" + a.file} }

func certificateFor(commonName string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: commonName},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
}

func writePEM(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
}
