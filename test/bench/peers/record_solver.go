// Solves dns-01 by asking the benchmark's own DNS for the record, over connections that stay open.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/mholt/acmez/v3/acme"
)

type recordSolver struct {
	url    string
	client *http.Client
}

// newRecordSolver solves for CertMagic; lego's interface is recordProvider.
func newRecordSolver(url string) *recordSolver {
	// Go keeps two idle connections to a host unless told (net/http, DefaultMaxIdleConnsPerHost).
	transport := &http.Transport{MaxIdleConnsPerHost: 100}
	return &recordSolver{url: url, client: &http.Client{Transport: transport}}
}

// Present puts the record; when it returns, the DNS server answers with it.
func (solver *recordSolver) Present(ctx context.Context, challenge acme.Challenge) error {
	return solver.change(ctx, "put", challenge.DNS01TXTRecordName(), challenge.DNS01KeyAuthorization())
}

// CleanUp takes the record down.
func (solver *recordSolver) CleanUp(ctx context.Context, challenge acme.Challenge) error {
	return solver.change(ctx, "clear", challenge.DNS01TXTRecordName(), challenge.DNS01KeyAuthorization())
}

func (solver *recordSolver) change(ctx context.Context, action, name, value string) error {
	record := url.Values{"name": {name}, "value": {value}}
	target := fmt.Sprintf("%s/%s?%s", solver.url, action, record.Encode())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return err
	}
	response, err := solver.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	// An answer that was read to its end leaves its connection for the next request.
	said, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the DNS refused to %s a record: %s", action, said)
	}
	return nil
}
