package storagetest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"metricd/internal/storage"
)

// refDocuments are the documents of a reference; its lock guards them.
type refDocuments struct {
	docs map[string]refDocument
	last storage.Version
}

type refDocument struct {
	storage.DocumentInfo
	data []byte
}

func (s *reference) ListDocuments(ctx context.Context) ([]storage.DocumentInfo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []storage.DocumentInfo
	for _, name := range slices.Sorted(maps.Keys(s.docs)) {
		all = append(all, s.docs[name].DocumentInfo)
	}
	return all, s.errLocked(ctx)
}

func (s *reference) GetDocument(ctx context.Context, name string) (storage.DocumentInfo, []byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.docs[name]
	err := cmp.Or(storage.CheckDocumentName(name), s.errLocked(ctx))
	if err == nil && !ok {
		err = storage.ErrNoDocument
	}
	return d.DocumentInfo, slices.Clone(d.data), err
}

func (s *reference) PutDocument(ctx context.Context, name string, data []byte, expected storage.Version) (storage.Version, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.docs[name]
	err := cmp.Or(storage.CheckDocumentName(name), s.errLocked(ctx), storage.CheckDocumentVersion(name, d.Version, expected))
	switch {
	case err != nil:
		return 0, err
	case len(data) > storage.MaxDocument:
		return 0, storage.ErrDocumentSize
	case !ok && len(s.docs) >= storage.MaxDocuments:
		return 0, storage.ErrDocumentLimit
	}
	s.last++
	if s.docs == nil {
		s.docs = map[string]refDocument{}
	}
	s.docs[name] = refDocument{storage.DocumentInfo{Name: name, Version: s.last, Size: int64(len(data)), Modified: time.Now().UnixMilli()}, slices.Clone(data)}
	return s.last, nil
}

func (s *reference) DeleteDocument(ctx context.Context, name string, expected storage.Version) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.docs[name]
	err := cmp.Or(storage.CheckDocumentName(name), s.errLocked(ctx))
	if err == nil && !ok {
		err = storage.ErrNoDocument
	}
	if err = cmp.Or(err, storage.CheckDocumentVersion(name, d.Version, expected)); err == nil {
		delete(s.docs, name)
	}
	return err
}

// wrongDocuments has the calls that change documents wrong.
type wrongDocuments struct {
	*reference
	put    func(s *reference, name string, data []byte, expected storage.Version) (storage.Version, error) // nil: right
	delete func(s *reference, name string, expected storage.Version) error                                 // nil: right
}

func (s *wrongDocuments) PutDocument(ctx context.Context, name string, data []byte, expected storage.Version) (storage.Version, error) {
	if s.put == nil || ctx.Err() != nil {
		return s.reference.PutDocument(ctx, name, data, expected)
	}
	return s.put(s.reference, name, data, expected)
}

func (s *wrongDocuments) DeleteDocument(ctx context.Context, name string, expected storage.Version) error {
	if s.delete == nil || ctx.Err() != nil {
		return s.reference.DeleteDocument(ctx, name, expected)
	}
	return s.delete(s.reference, name, expected)
}

// version returns that of a document.
func (s *reference) version(name string) storage.Version {
	info, _, _ := s.GetDocument(forever, name)
	return info.Version
}

func documentMutants() []mutant {
	putting := func(put func(s *reference, name string, data []byte, expected storage.Version) (storage.Version, error)) func() storage.Store {
		return func() storage.Store { return &wrongDocuments{reference: newReference(), put: put} }
	}
	return []mutant{
		{"OverwritesAnyVersion", "Documents/Versions", false, putting(func(s *reference, name string, data []byte, _ storage.Version) (storage.Version, error) {
			return s.PutDocument(forever, name, data, s.version(name))
		})},
		{"ChecksVersionTooEarly", "Documents/Writers", false, putting(func(s *reference, name string, data []byte, expected storage.Version) (storage.Version, error) {
			if err := storage.CheckDocumentVersion(name, s.version(name), expected); err != nil {
				return 0, err
			}
			time.Sleep(time.Millisecond) // so that another writer comes between
			for {
				if v, err := s.PutDocument(forever, name, data, s.version(name)); err == nil {
					return v, nil
				}
			}
		})},
		{"CountsVersionsFromOne", "Documents/NeverReused", false, putting(func(s *reference, name string, data []byte, expected storage.Version) (storage.Version, error) {
			s.last = expected
			return s.PutDocument(forever, name, data, expected)
		})},
		{"KeepsDocumentBytes", "Documents/Bytes", false, putting(func(s *reference, name string, data []byte, expected storage.Version) (storage.Version, error) {
			v, err := s.PutDocument(forever, name, data, expected)
			if d, ok := s.docs[name]; ok && err == nil {
				d.data = data
				s.docs[name] = d
			}
			return v, err
		})},
		{"DeletesAnyVersion", "Documents/Versions", false, func() storage.Store {
			return &wrongDocuments{reference: newReference(), delete: func(s *reference, name string, _ storage.Version) error {
				return s.DeleteDocument(forever, name, s.version(name))
			}}
		}},
	}
}
