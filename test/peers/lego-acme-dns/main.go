// lego with its own client for acme-dns, which Debian's lego is built without: one certificate, by dns-01.
//
//	lego-acme-dns DIRECTORY-URL OUTPUT NAME...
package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"log"
	"os"

	"github.com/go-acme/lego/v4/certificate"
	"github.com/go-acme/lego/v4/challenge/dns01"
	"github.com/go-acme/lego/v4/lego"
	"github.com/go-acme/lego/v4/providers/dns/acmedns"
	"github.com/go-acme/lego/v4/registration"
)

type user struct {
	key          crypto.PrivateKey
	registration *registration.Resource
}

func (u *user) GetEmail() string                        { return "" }
func (u *user) GetRegistration() *registration.Resource { return u.registration }
func (u *user) GetPrivateKey() crypto.PrivateKey        { return u.key }

func main() {
	log.SetFlags(0)
	chain, err := certify(os.Args[1], os.Args[3:])
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(os.Args[2], chain, 0o600); err != nil {
		log.Fatal(err)
	}
}

// ACME_DNS_API_BASE, ACME_DNS_STORAGE_PATH and LEGO_CA_CERTIFICATES are as lego has them.
func certify(directory string, names []string) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	account := &user{key: key}
	config := lego.NewConfig(account)
	config.CADirURL = directory
	client, err := lego.NewClient(config)
	if err != nil {
		return nil, err
	}
	provider, err := acmedns.NewDNSProvider()
	if err != nil {
		return nil, err
	}
	// It would look for the zone's name servers outside this machine.
	unseen := dns01.WrapPreCheck(func(_, _, _ string, _ dns01.PreCheckFunc) (bool, error) { return true, nil })
	if err := client.Challenge.SetDNS01Provider(provider, unseen); err != nil {
		return nil, err
	}
	account.registration, err = client.Registration.Register(registration.RegisterOptions{TermsOfServiceAgreed: true})
	if err != nil {
		return nil, err
	}
	obtained, err := client.Certificate.Obtain(certificate.ObtainRequest{Domains: names, Bundle: true})
	if err != nil {
		return nil, err
	}
	return obtained.Certificate, nil
}
