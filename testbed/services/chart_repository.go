package main

import (
	"context"
	"net/http"
	"regexp"
)

var chartFile = regexp.MustCompile(`^/(?:index\.yaml|[A-Za-z0-9][A-Za-z0-9._+-]*\.tgz)$`)

// serveCharts serves the folder that helm package and helm repo index made.
func serveCharts(ctx context.Context, arguments []string) error {
	options, err := parseListenOptions("chart-repository", arguments, nil)
	if err != nil {
		return err
	}
	files := http.FileServer(http.Dir(options.folder))
	return options.listen(ctx, http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		if !chartFile.MatchString(request.URL.Path) {
			http.NotFound(response, request)
			return
		}
		// The index changes when a chart is added, and nobody may keep the old one.
		response.Header().Set("Cache-Control", "no-store")
		files.ServeHTTP(response, request)
	}))
}
