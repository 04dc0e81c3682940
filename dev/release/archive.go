package main

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// archive writes the programs and the files into one folder of a tar.
func (r *release) archive(p platform, files []string) (err error) {
	out, err := os.Create(r.path(p.suffix() + ".tar.gz"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	zip := gzip.NewWriter(out)
	t := tar.NewWriter(zip)
	folder := "kyc_" + r.version + "_" + p.suffix() + "/"
	for _, name := range slices.Sorted(maps.Keys(programs)) {
		if err := addFile(t, r.binary(p, name), folder+name, 0o755, r.date); err != nil {
			return err
		}
	}
	for _, name := range files {
		mode, err := modeOf(filepath.Join(r.root, name))
		if err != nil {
			return err
		}
		if err := addFile(t, filepath.Join(r.root, name), folder+name, mode, r.date); err != nil {
			return err
		}
	}
	return errors.Join(t.Close(), zip.Close())
}

// modeOf keeps of a file's mode what git keeps of it, so that the machine's umask does not matter.
func modeOf(file string) (int64, error) {
	info, err := os.Stat(file)
	if err != nil {
		return 0, err
	}
	if info.Mode()&0o100 != 0 {
		return 0o755, nil
	}
	return 0o644, nil
}

func addFile(t *tar.Writer, source, name string, mode int64, date time.Time) error {
	content, err := os.ReadFile(source) //nolint:gosec // G304: ours
	if err != nil {
		return err
	}
	return add(t, name, content, mode, date)
}

// add writes an entry without an owner, as extracting it gives it one.
func add(t *tar.Writer, name string, content []byte, mode int64, date time.Time) error {
	h := tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(content)), Mode: mode, ModTime: date, Format: tar.FormatPAX}
	if err := t.WriteHeader(&h); err != nil {
		return err
	}
	_, err := t.Write(content)
	return err
}

// checksums writes SHA256SUMS, which `sha256sum -c` reads.
func (r *release) checksums() error {
	entries, err := os.ReadDir(r.out)
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, e := range entries {
		sum, err := sumOf(filepath.Join(r.out, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sum, e.Name())
	}
	fmt.Print(sums.String())
	return os.WriteFile(filepath.Join(r.out, "SHA256SUMS"), []byte(sums.String()), 0o644) //nolint:gosec // G306: it is published
}

func sumOf(file string) ([]byte, error) {
	f, err := os.Open(file) //nolint:gosec // G304: ours
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	return sum.Sum(nil), errors.Join(err, f.Close())
}
