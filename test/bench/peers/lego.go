// lego as whoever embeds it gets it, but for what would make it wait instead of work.
package main

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	stdlog "log"
	"net/http"
	"os"
	"strings"

	"github.com/go-acme/lego/v4/certcrypto"
	"github.com/go-acme/lego/v4/certificate"
	"github.com/go-acme/lego/v4/challenge/dns01"
	"github.com/go-acme/lego/v4/lego"
	legolog "github.com/go-acme/lego/v4/log"
	"github.com/go-acme/lego/v4/registration"
)

type legoUser struct {
	key          crypto.PrivateKey
	registration *registration.Resource
}

func (user *legoUser) GetEmail() string                        { return "nobody@lanyard.test" }
func (user *legoUser) GetRegistration() *registration.Resource { return user.registration }
func (user *legoUser) GetPrivateKey() crypto.PrivateKey        { return user.key }

// prepareLego makes the keys, one account, and a client of it for each worker: a client is not meant for several at once.
func prepareLego(_ context.Context, task task) (obtain func(name string) error, err error) {
	legolog.Logger = stdlog.New(io.Discard, "", 0)
	// It would ask public resolvers whether the name is an alias.
	if err := os.Setenv("LEGO_DISABLE_CNAME_SUPPORT", "true"); err != nil {
		return nil, err
	}
	keys, err := prepareKeys(task.count)
	if err != nil {
		return nil, err
	}
	key, err := certcrypto.GeneratePrivateKey(certcrypto.EC256)
	if err != nil {
		return nil, err
	}
	user := &legoUser{key: key}
	clients := make(chan *lego.Client, task.concurrency)
	for range task.concurrency {
		client, err := newLegoClient(task, user)
		if err != nil {
			return nil, err
		}
		clients <- client
	}
	return func(name string) error {
		client := <-clients
		defer func() { clients <- client }()
		key, err := keys.GenerateKey()
		if err != nil {
			return err
		}
		_, err = client.Certificate.Obtain(certificate.ObtainRequest{Domains: []string{name}, Bundle: true, PrivateKey: key})
		return err
	}, nil
}

// newLegoClient registers the user, should that not be done yet.
func newLegoClient(task task, user *legoUser) (*lego.Client, error) {
	pem, err := os.ReadFile(task.rootsPath)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("no certificate in %s", task.rootsPath)
	}
	config := lego.NewConfig(user)
	config.CADirURL = task.directoryURL
	config.Certificate.KeyType = certcrypto.EC256
	config.HTTPClient = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	client, err := lego.NewClient(config)
	if err != nil {
		return nil, err
	}
	// Our own DNS server answers as soon as the record is put, and no other contender looks whether it does.
	provider := &recordProvider{solver: newRecordSolver(task.recordsURL)}
	if err := client.Challenge.SetDNS01Provider(provider, dns01.PropagationWait(0, true)); err != nil {
		return nil, err
	}
	if user.registration == nil {
		user.registration, err = client.Registration.Register(registration.RegisterOptions{TermsOfServiceAgreed: true})
	}
	return client, err
}

// recordProvider is the solver as lego wants it.
type recordProvider struct {
	solver *recordSolver
}

func (provider *recordProvider) Present(domain, _, keyAuth string) error {
	return provider.change("put", domain, keyAuth)
}

func (provider *recordProvider) CleanUp(domain, _, keyAuth string) error {
	return provider.change("clear", domain, keyAuth)
}

func (provider *recordProvider) change(action, domain, keyAuth string) error {
	info := dns01.GetChallengeInfo(domain, keyAuth)
	return provider.solver.change(context.Background(), action, strings.TrimSuffix(info.FQDN, "."), info.Value)
}
