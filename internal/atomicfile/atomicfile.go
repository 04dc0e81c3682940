// Package atomicfile writes files with secrets.
package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
)

// Replace writes a file in one step, readable by its owner only, whatever the mode of the old one was. A concurrent reader
// gets the old content or the new one, and so does the disk after a crash.
func Replace(path string, content []byte) (err error) {
	folder := filepath.Dir(path)
	tmp, err := os.CreateTemp(folder, filepath.Base(path)+".*.tmp") // with mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	_, err = tmp.Write(content)
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	return syncFolder(folder)
}

// syncFolder makes the rename durable. Some file systems cannot; then only that guarantee is lost.
func syncFolder(folder string) error {
	d, err := os.Open(folder) //nolint:gosec // the folder of the file that the operator names
	if err != nil {
		return nil //nolint:nilerr // as said
	}
	_ = d.Sync()
	return d.Close()
}
