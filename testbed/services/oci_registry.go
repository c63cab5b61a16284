package main

import (
	"context"
	"io"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/sirupsen/logrus"
)

// serveRegistry serves an OCI registry, the reference implementation, that keeps its blobs in a folder.
func serveRegistry(ctx context.Context, arguments []string) error {
	options, err := parseListenOptions("oci-registry", arguments, nil)
	if err != nil {
		return err
	}
	settings := &configuration.Configuration{
		Version: "0.1",
		Storage: configuration.Storage{
			"filesystem": configuration.Parameters{"rootdirectory": options.folder},
			"delete":     configuration.Parameters{"enabled": true},
		},
	}
	settings.Catalog.MaxEntries = 1000
	logrus.SetOutput(io.Discard)
	return options.listen(ctx, handlers.NewApp(ctx, settings))
}
