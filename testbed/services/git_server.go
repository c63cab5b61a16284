package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

var repositoryPath = regexp.MustCompile(`^/[a-z0-9][a-z0-9._-]*\.git/(?:info/refs|git-upload-pack|git-receive-pack|HEAD|objects/[a-zA-Z0-9/._-]+)$`)

// serveGit serves the bare repositories of a folder by stock Git's own HTTP backend.
func serveGit(ctx context.Context, arguments []string) error {
	var credentials string
	options, err := parseListenOptions("git-server", arguments, func(flags *flag.FlagSet) {
		flags.StringVar(&credentials, "credentials-file", "", "a file that holds user:password")
	})
	if err != nil {
		return err
	}
	core, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		return fmt.Errorf("git is not on the PATH: %w", err)
	}
	backend := &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(core)), "git-http-backend"),
		Dir:  options.folder,
		Env: []string{
			"GIT_PROJECT_ROOT=" + options.folder,
			"GIT_HTTP_EXPORT_ALL=1",
			// The repositories may belong to another user than the server.
			"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*",
		},
		InheritEnv: []string{"PATH", "HOME"},
	}
	guarded := http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		if !repositoryPath.MatchString(request.URL.Path) || strings.Contains(request.URL.Path, "..") {
			http.NotFound(response, request)
			return
		}
		if err := serveByCGI(backend, response, request); err != nil {
			http.Error(response, err.Error(), http.StatusInternalServerError)
		}
	})
	handler, err := requireCredentials(credentials, guarded)
	if err != nil {
		return err
	}
	return options.listen(ctx, handler)
}

// serveByCGI gives a body a length first: CGI has no other, and Git sends a large pack in chunks.
func serveByCGI(backend http.Handler, response http.ResponseWriter, request *http.Request) error {
	if request.ContentLength >= 0 {
		backend.ServeHTTP(response, request)
		return nil
	}
	spool, err := os.CreateTemp("", "caelus-testbed-pack-")
	if err != nil {
		return err
	}
	defer os.Remove(spool.Name())
	defer spool.Close()
	length, err := io.Copy(spool, request.Body)
	if err != nil {
		return err
	}
	if _, err := spool.Seek(0, io.SeekStart); err != nil {
		return err
	}
	whole := request.Clone(request.Context())
	whole.Body, whole.ContentLength, whole.TransferEncoding = spool, length, nil
	backend.ServeHTTP(response, whole)
	return nil
}
