package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// A certificateRequest asks for <name>.crt and <name>.key. With hosts it is a server's, without it is a client's.
type certificateRequest struct {
	Name          string   `json:"name"`
	CommonName    string   `json:"commonName"`
	Organizations []string `json:"organizations"`
	Hosts         []string `json:"hosts"`
}

const (
	lifetime = 365 * 24 * time.Hour
	// What is left of a certificate that is used again.
	reserve = 30 * 24 * time.Hour
)

// writeCertificates reads a JSON array of requests and fills the folder with ca.crt, ca.key, service-account.key,
// service-account.pub and the pair of each request. What is there already and still valid stays.
func writeCertificates(input io.Reader, arguments []string) error {
	if len(arguments) != 1 {
		return errors.New("say which folder takes the certificates")
	}
	folder := arguments[0]
	var requests []certificateRequest
	if err := json.NewDecoder(input).Decode(&requests); err != nil {
		return fmt.Errorf("the requests on standard input are no JSON array: %w", err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	authority, err := loadOrMakeAuthority(folder)
	if err != nil {
		return err
	}
	for _, request := range requests {
		if _, _, err := loadPair(folder, request.Name, authority.certificate); err == nil {
			continue
		}
		if err := authority.issue(folder, request); err != nil {
			return fmt.Errorf("%s: %w", request.Name, err)
		}
	}
	return makeServiceAccountKey(folder)
}

type certificateAuthority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

func loadOrMakeAuthority(folder string) (*certificateAuthority, error) {
	if certificate, key, err := loadPair(folder, "ca", nil); err == nil {
		return &certificateAuthority{certificate, key}, nil
	}
	template, err := newTemplate("caelus-testbed", nil)
	if err != nil {
		return nil, err
	}
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &certificateAuthority{certificate, key}, savePair(folder, "ca", der, key)
}

func (authority *certificateAuthority) issue(folder string, request certificateRequest) error {
	template, err := newTemplate(request.CommonName, request.Organizations)
	if err != nil {
		return err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	for _, host := range request.Hosts {
		if address := net.ParseIP(host); address != nil {
			template.IPAddresses = append(template.IPAddresses, address)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	if len(request.Hosts) > 0 {
		// etcd and the API server are clients of their own servers.
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, authority.certificate, key.Public(), authority.key)
	if err != nil {
		return err
	}
	return savePair(folder, request.Name, der, key)
}

func newTemplate(commonName string, organizations []string) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	// An hour back, for a clock that was set meanwhile.
	now := time.Now().Add(-time.Hour)
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: commonName, Organization: organizations},
		NotBefore:    now,
		NotAfter:     now.Add(lifetime),
	}, nil
}

// loadPair fails where the pair is missing, ends soon, or was issued by another authority.
func loadPair(folder, name string, issuer *x509.Certificate) (*x509.Certificate, crypto.Signer, error) {
	certificateBlock, err := readPem(filepath.Join(folder, name+".crt"))
	if err != nil {
		return nil, nil, err
	}
	keyBlock, err := readPem(filepath.Join(folder, name+".key"))
	if err != nil {
		return nil, nil, err
	}
	certificate, err := x509.ParseCertificate(certificateBlock)
	if err != nil {
		return nil, nil, err
	}
	if time.Now().Add(reserve).After(certificate.NotAfter) {
		return nil, nil, fmt.Errorf("%s.crt ends soon", name)
	}
	if issuer != nil {
		if err := certificate.CheckSignatureFrom(issuer); err != nil {
			return nil, nil, err
		}
	}
	key, err := x509.ParseECPrivateKey(keyBlock)
	if err != nil {
		return nil, nil, err
	}
	if !key.PublicKey.Equal(certificate.PublicKey) {
		return nil, nil, fmt.Errorf("%s.key belongs to another certificate", name)
	}
	return certificate, key, nil
}

func savePair(folder, name string, certificate []byte, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	if err := writePem(filepath.Join(folder, name+".key"), "EC PRIVATE KEY", der); err != nil {
		return err
	}
	return writePem(filepath.Join(folder, name+".crt"), "CERTIFICATE", certificate)
}

// makeServiceAccountKey makes the pair that signs and checks the tokens of service accounts.
func makeServiceAccountKey(folder string) error {
	private, public := filepath.Join(folder, "service-account.key"), filepath.Join(folder, "service-account.pub")
	if _, err := os.Stat(public); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	if err := writePem(private, "EC PRIVATE KEY", der); err != nil {
		return err
	}
	der, err = x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	return writePem(public, "PUBLIC KEY", der)
}

func readPem(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s is no PEM file", path)
	}
	return block.Bytes, nil
}

// writePem writes beside and renames, so that a run that is interrupted leaves no half of a key behind.
func writePem(path, kind string, der []byte) error {
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
