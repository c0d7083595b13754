// Command gotest runs "go test" and says at the end how many tests passed,
// failed and were skipped, and which those were. With -require-all a skipped
// test is a failure: it proved nothing.
//
//	go run ./internal/housetest/gotest [-require-all] [-summary FILE] [--] [go test's arguments]
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
)

func main() {
	requireAll := flag.Bool("require-all", false, "fail if a test was skipped")
	summary := flag.String("summary", "", "write the last line to this file, too")
	flag.Parse()
	ok, err := run(*requireAll, *summary, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "gotest:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// run reports whether all is well.
func run(requireAll bool, summary string, args []string) (bool, error) {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return false, err
	}
	if err := cmd.Start(); err != nil {
		return false, err
	}
	r := newReport(os.Stdout)
	readErr := read(out, r)
	if readErr != nil {
		_, _ = io.Copy(io.Discard, out) // so that the command can end
	}
	exit := cmd.Wait()
	if readErr != nil {
		return false, fmt.Errorf("read the output of %v: %w", cmd, readErr)
	}
	r.end()
	if summary != "" {
		if err := os.WriteFile(summary, []byte(r.line()+"\n"), 0o644); err != nil {
			return false, err
		}
	}
	if exit != nil && r.ok(false) {
		return false, fmt.Errorf("%v: %w", cmd, exit) // such as wrong arguments
	}
	return r.ok(requireAll), nil
}

// read hands the events of "go test -json" to r.
func read(in io.Reader, r *report) error {
	for d := json.NewDecoder(in); ; {
		var e event
		switch err := d.Decode(&e); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		r.add(e)
	}
}
