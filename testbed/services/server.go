package main

import (
	"context"
	"crypto/subtle"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

// listenOptions are what every server of this program takes.
type listenOptions struct {
	address     string
	certificate string
	key         string
	folder      string
}

func parseListenOptions(name string, arguments []string, more func(*flag.FlagSet)) (*listenOptions, error) {
	options := &listenOptions{}
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.StringVar(&options.address, "listen", "127.0.0.1:0", "address and port")
	flags.StringVar(&options.certificate, "tls-certificate", "", "PEM file; plain HTTP without it")
	flags.StringVar(&options.key, "tls-key", "", "PEM file")
	flags.StringVar(&options.folder, "folder", "", "what is served")
	if more != nil {
		more(flags)
	}
	if err := flags.Parse(arguments); err != nil {
		return nil, err
	}
	if options.folder == "" {
		return nil, errors.New("say by --folder what is served")
	}
	return options, nil
}

// listen serves until the context ends, then lets running requests finish.
func (options *listenOptions) listen(ctx context.Context, handler http.Handler) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(response http.ResponseWriter, _ *http.Request) { fmt.Fprintln(response, "ok") })
	mux.Handle("/", handler)
	server := &http.Server{Addr: options.address, Handler: mux, ReadHeaderTimeout: 30 * time.Second}
	failed := make(chan error, 1)
	go func() {
		if options.certificate == "" {
			failed <- server.ListenAndServe()
		} else {
			failed <- server.ListenAndServeTLS(options.certificate, options.key)
		}
	}()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		deadline, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return server.Shutdown(deadline)
	}
}

// requireCredentials lets through who sends the user and password of the file ("user:password").
func requireCredentials(path string, handler http.Handler) (http.Handler, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	wanted := strings.TrimSpace(string(text))
	if !strings.Contains(wanted, ":") {
		return nil, fmt.Errorf("%s does not hold user:password", path)
	}
	return http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		user, password, _ := request.BasicAuth()
		if subtle.ConstantTimeCompare([]byte(user+":"+password), []byte(wanted)) != 1 {
			response.Header().Set("WWW-Authenticate", `Basic realm="testbed"`)
			http.Error(response, "Send the user and password of the testbed.", http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(response, request)
	}), nil
}
