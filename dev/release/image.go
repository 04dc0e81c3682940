package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// image is a program in a container, as Dockerfile builds it.
type image struct {
	name    string // without a registry
	suffix  string // of the file
	program string
	holds   []string // binaries
	ports   []string
}

var images = []image{
	{"didit-temporal", "image.tar", "kyc", []string{"kyc"}, []string{"8080/tcp", "8081/tcp", "8082/tcp"}},
	{"didit-temporal-simulator", "image-simulator.tar", "diditsim", []string{"kyc", "diditsim"}, []string{"8090/tcp"}},
}

const nobody = "65532:65532" // a number, so that Kubernetes can see that it is not root

// image writes an image for each Linux as an OCI layout in a tar.
func (r *release) image(i image) error {
	index := v1.ImageIndex(empty.Index)
	for _, p := range r.platforms {
		if p.OS != "linux" {
			continue
		}
		one, err := r.imageFor(p, i)
		if err != nil {
			return err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: one, Descriptor: v1.Descriptor{Platform: &p}})
	}
	dir, err := os.MkdirTemp(r.work, "layout-*")
	if err != nil {
		return err
	}
	all, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	err = all.AppendIndex(index, layout.WithAnnotations(map[string]string{
		"org.opencontainers.image.ref.name": r.version,                                       // for skopeo
		"io.containerd.image.name":          "docker.io/library/" + i.name + ":" + r.version, // for docker load
	}))
	if err != nil {
		return err
	}
	return r.pack(dir, r.path(i.suffix))
}

func (r *release) imageFor(p v1.Platform, i image) (v1.Image, error) {
	base, err := mutate.ConfigFile(mutate.MediaType(empty.Image, types.OCIManifestSchema1), r.config(p, i))
	if err != nil {
		return nil, err
	}
	files, err := r.layer(p, i)
	if err != nil {
		return nil, err
	}
	return mutate.AppendLayers(mutate.ConfigMediaType(base, types.OCIConfigJSON), files)
}

func (r *release) config(p v1.Platform, i image) *v1.ConfigFile {
	ports := map[string]struct{}{}
	for _, port := range i.ports {
		ports[port] = struct{}{}
	}
	return &v1.ConfigFile{
		OS: p.OS, Architecture: p.Architecture, Created: v1.Time{Time: r.date}, RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{User: nobody, Entrypoint: []string{"/" + i.program}, ExposedPorts: ports, Labels: map[string]string{
			"org.opencontainers.image.version": "v" + r.version, "org.opencontainers.image.revision": r.revision,
			"org.opencontainers.image.licenses": "Apache-2.0",
		}},
	}
}

// layer holds the root certificates and the programs.
func (r *release) layer(p v1.Platform, i image) (v1.Layer, error) {
	var b bytes.Buffer
	t := tar.NewWriter(&b)
	if err := add(t, "etc/ssl/certs/ca-certificates.crt", rootCertificates(), 0o644, r.date); err != nil {
		return nil, err
	}
	for _, name := range i.holds {
		if err := addFile(t, r.binary(p, name), name, 0o755, r.date); err != nil {
			return nil, err
		}
	}
	if err := t.Close(); err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }
	return tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer))
}

// rootCertificates are Mozilla's, of the version in go.mod. A file cannot say that Mozilla trusts a root for old
// certificates only, so such roots are left out.
func rootCertificates() []byte {
	var b bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}))
		}
	}
	return b.Bytes()
}

// pack writes a folder into a tar.
func (r *release) pack(dir, file string) (err error) {
	out, err := os.Create(file) //nolint:gosec // G304: ours
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	t := tar.NewWriter(out)
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return addFile(t, path, filepath.ToSlash(name), 0o644, r.date)
	})
	return errors.Join(err, t.Close())
}
