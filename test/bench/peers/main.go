// Command peers gets certificates with CertMagic or lego as a library: one process, one account.
// test/bench/contender-go.ts starts it, and hears on its output when it is ready and of each certificate.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"sync"
)

type task struct {
	directoryURL string
	rootsPath    string
	storagePath  string
	recordsURL   string
	zone         string
	count        int
	concurrency  int
}

func main() {
	var task task
	library := flag.String("library", "certmagic", "certmagic or lego")
	flag.StringVar(&task.directoryURL, "directory-url", "", "the CA's ACME directory")
	flag.StringVar(&task.rootsPath, "roots", "", "PEM `file` with the root of the CA's HTTPS server")
	flag.StringVar(&task.storagePath, "storage", "", "empty `directory` for its account and certificates")
	flag.StringVar(&task.recordsURL, "records-url", "", "where challenge records are put and cleared")
	flag.StringVar(&task.zone, "zone", "", "the domain that all names are in")
	flag.IntVar(&task.count, "count", 1, "how many certificates")
	flag.IntVar(&task.concurrency, "concurrency", 1, "how many at once")
	flag.Parse()

	prepare, isKnown := libraries[*library]
	if !isKnown {
		log.Fatalf("there is no library %s here", *library)
	}
	obtain, err := prepare(context.Background(), task)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("ready")
	input := bufio.NewReader(os.Stdin)
	if _, err := input.ReadString('\n'); err != nil {
		log.Fatal("nobody said when to start: ", err)
	}
	race(task, *library, obtain)
	// The other side reads this process' CPU time before it closes the input.
	if _, err := io.Copy(io.Discard, input); err != nil {
		log.Fatal(err)
	}
}

// What makes account and keys, and returns what gets one certificate.
var libraries = map[string]func(context.Context, task) (func(name string) error, error){
	"certmagic": prepareCertmagic,
	"lego":      prepareLego,
}

// race gets every certificate, with so many workers, and tells of each as it comes.
func race(task task, library string, obtain func(name string) error) {
	names := make(chan string)
	var workers sync.WaitGroup
	for range task.concurrency {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for name := range names {
				if err := obtain(name); err != nil {
					log.Fatal(err)
				}
				fmt.Println("certificate")
			}
		}()
	}
	for index := range task.count {
		names <- fmt.Sprintf("%s-%06d.%s", library, index, task.zone)
	}
	close(names)
	workers.Wait()
}
