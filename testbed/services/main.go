// Command services is what stands around the cluster: its certificates, a Git server, a Helm chart repository and an OCI
// registry. The first argument says which one.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) == 0 {
		return fmt.Errorf("say what to run: certificates, git-server, chart-repository or oci-registry")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	name, rest := arguments[0], arguments[1:]
	switch name {
	case "certificates":
		return writeCertificates(os.Stdin, rest)
	case "git-server":
		return serveGit(ctx, rest)
	case "chart-repository":
		return serveCharts(ctx, rest)
	case "oci-registry":
		return serveRegistry(ctx, rest)
	default:
		return fmt.Errorf("there is no %q in this program", name)
	}
}
