// Package certs makes certificates for tests of TLS.
package certs

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

// Authority is a CA of a test.
type Authority struct {
	tb   testing.TB
	cert *x509.Certificate
	key  crypto.Signer
	// File has its certificate.
	File string
}

// New makes a CA, whose certificate is in a folder of the test.
func New(tb testing.TB) *Authority {
	tb.Helper()
	template := certificateFor("authority of a test")
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(tb, err)
	a := &Authority{tb: tb, cert: template, key: key, File: filepath.Join(tb.TempDir(), "ca.pem")}
	der := a.sign(template, key)
	a.cert, err = x509.ParseCertificate(der)
	require.NoError(tb, err)
	writePEM(tb, a.File, "CERTIFICATE", der)
	return a
}

// Issue makes a certificate for servers and clients on loopback, with its key, and returns their files.
func (a *Authority) Issue(commonName string, names ...string) (cert, key string) {
	a.tb.Helper()
	dir := a.tb.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	a.IssueTo(cert, key, commonName, names...)
	return cert, key
}

// IssueTo is Issue into files of the caller's.
func (a *Authority) IssueTo(cert, key, commonName string, names ...string) {
	a.tb.Helper()
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a.tb, err)
	template := certificateFor(commonName)
	template.DNSNames, template.IPAddresses = names, []net.IP{net.IPv4(127, 0, 0, 1)}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(signer)
	require.NoError(a.tb, err)
	writePEM(a.tb, cert, "CERTIFICATE", a.sign(template, signer))
	writePEM(a.tb, key, "PRIVATE KEY", pkcs8)
}

// Pool is for clients that trust it.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

func (a *Authority) sign(template *x509.Certificate, of crypto.Signer) []byte {
	a.tb.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, of.Public(), a.key)
	require.NoError(a.tb, err)
	return der
}

func certificateFor(commonName string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: commonName},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
}

func writePEM(tb testing.TB, file, kind string, der []byte) {
	tb.Helper()
	require.NoError(tb, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
}
