// CertMagic as whoever embeds it gets it, but for what would make it wait instead of work.
package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
)

// prepareCertmagic makes the keys, and the account with a first certificate that does not count: it registers only then.
func prepareCertmagic(ctx context.Context, task task) (obtain func(name string) error, err error) {
	keys, err := prepareKeys(task.count + 1)
	if err != nil {
		return nil, err
	}
	config, err := configure(task, keys)
	if err != nil {
		return nil, err
	}
	obtain = func(name string) error { return config.ObtainCertSync(ctx, name) }
	return obtain, obtain("certmagic-first." + task.zone)
}

func configure(task task, keys certmagic.KeyGenerator) (*certmagic.Config, error) {
	// Ten orders in ten seconds otherwise, whatever the CA allows.
	certmagic.RateLimitEvents, certmagic.RateLimitEventsWindow = 0, 0
	pem, err := os.ReadFile(task.rootsPath)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("no certificate in %s", task.rootsPath)
	}
	var config *certmagic.Config
	cache := certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return config, nil },
		Logger:           zap.NewNop(),
	})
	config = certmagic.New(cache, certmagic.Config{
		// Files, its default. Ours, too, writes to this disk what it would need after a crash.
		Storage: &certmagic.FileStorage{Path: task.storagePath},
		// Ten kilobytes written and read back before each certificate are no part of getting it.
		DisableStorageCheck: true,
		KeySource:           keys,
		OCSP:                certmagic.OCSPConfig{DisableStapling: true},
		Logger:              zap.NewNop(),
	})
	issuer := certmagic.NewACMEIssuer(config, certmagic.ACMEIssuer{
		CA:           task.directoryURL,
		Email:        "nobody@lanyard.test",
		Agreed:       true,
		TrustedRoots: roots,
		// In place of its DNS01Solver, which would look for the zone first, and then for the record every two seconds.
		// Our own DNS server answers as soon as the record is put, and no other contender looks either.
		DNS01Solver: newRecordSolver(task.recordsURL),
		Logger:      zap.NewNop(),
	})
	config.Issuers = []certmagic.Issuer{issuer}
	return config, nil
}

// preparedKeys hands out keys that were made before the race: in life, the appliances make them.
type preparedKeys chan crypto.PrivateKey

func prepareKeys(count int) (preparedKeys, error) {
	keys := make(preparedKeys, count)
	for range count {
		key, err := certmagic.StandardKeyGenerator{KeyType: certmagic.P256}.GenerateKey()
		if err != nil {
			return nil, err
		}
		keys <- key
	}
	close(keys)
	return keys, nil
}

func (keys preparedKeys) GenerateKey() (crypto.PrivateKey, error) {
	key, isLeft := <-keys
	if !isLeft {
		return nil, errors.New("every prepared key is used")
	}
	return key, nil
}
