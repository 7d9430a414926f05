package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"metricd/internal/storage"
)

func documentChecks() []check {
	return []check{
		{"PutGet", documentPutGet},
		{"Versions", documentVersions},
		{"NeverReused", versionsNeverReused},
		{"Names", documentNames},
		{"Sizes", documentSizes},
		{"Limit", documentLimit},
		{"Bytes", documentBytes},
		{"Writers", documentWriters},
		{"NotSamples", documentsAreNoSamples},
		{"Context", documentContext},
		{"Close", documentsAfterClose},
	}
}

// documents returns the store as what it also has to be.
func (f *fixture) documents() storage.Documents {
	f.Helper()
	docs, ok := f.store.(storage.Documents)
	if !ok {
		f.Fatalf("%T keeps no documents", f.store)
	}
	return docs
}

func (f *fixture) putDocument(name, data string, expected storage.Version) storage.Version {
	f.Helper()
	v, err := f.documents().PutDocument(context.Background(), name, []byte(data), expected)
	if err != nil || v == 0 {
		f.Fatalf("PutDocument(%q, expecting %x): version %x, %v", name, expected, v, err)
	}
	return v
}

// wantDocuments expects exactly these documents, name=data each, by name, before a Step and after it.
func (f *fixture) wantDocuments(want ...string) {
	f.Helper()
	f.compareDocuments("", want)
	if f.engine.Step != nil {
		f.step()
		f.compareDocuments(" after Step", want)
	}
}

func (f *fixture) compareDocuments(when string, want []string) {
	f.Helper()
	all, err := f.documents().ListDocuments(context.Background())
	if err != nil {
		f.Fatalf("ListDocuments%s: %v", when, err)
	}
	var got []string
	for _, d := range all {
		info, data, err := f.documents().GetDocument(context.Background(), d.Name)
		if err != nil || info != d || info.Version == 0 || info.Size != int64(len(data)) || info.Modified == 0 {
			f.Fatalf("GetDocument(%q)%s: %+v with %d bytes, %v; it is listed as %+v", d.Name, when, info, len(data), err, d)
		}
		got = append(got, d.Name+"="+string(data))
	}
	if !slices.Equal(got, want) {
		f.Fatalf("documents%s\n got:  %s\n want: %s", when, brief(got), brief(want))
	}
}

func (f *fixture) wantError(what string, err, want error) {
	f.Helper()
	if !errors.Is(err, want) {
		f.Errorf("%s: %v, want %v", what, err, want)
	}
}

func documentPutGet(f *fixture) {
	ctx := context.Background()
	f.wantDocuments()
	_, _, err := f.documents().GetDocument(ctx, "a")
	f.wantError("get of none", err, storage.ErrNoDocument)
	f.wantError("delete of none", f.documents().DeleteDocument(ctx, "a", 5), storage.ErrNoDocument)
	v := f.putDocument("b", "1", 0)
	f.wantDocuments("b=1")
	a := f.putDocument("a", "", 0)
	f.wantDocuments("a=", "b=1")
	f.putDocument("b", "22", v)
	f.wantDocuments("a=", "b=22")
	if err := f.documents().DeleteDocument(ctx, "a", a); err != nil {
		f.Fatalf("DeleteDocument: %v", err)
	}
	f.wantDocuments("b=22")
}

// documentVersions: a change with another version than that of the document changes nothing.
func documentVersions(f *fixture) {
	ctx := context.Background()
	try := func(what string, name string, expected storage.Version) {
		f.Helper()
		_, err := f.documents().PutDocument(ctx, name, []byte("wrong"), expected)
		f.wantError("put of "+what, err, storage.ErrVersion)
		if err := f.documents().DeleteDocument(ctx, name, expected); !errors.Is(err, storage.ErrVersion) && !errors.Is(err, storage.ErrNoDocument) {
			f.Errorf("delete of %s: %v", what, err)
		}
	}
	try("what never was", "a", 1)
	v1 := f.putDocument("a", "1", 0)
	other := f.putDocument("b", "b", 0)
	try("what there is", "a", 0)
	try("another document's version", "a", other)
	v2 := f.putDocument("a", "2", v1)
	f.step()
	try("an old version", "a", v1)
	try("a version that never was", "a", v2+1)
	f.wantDocuments("a=2", "b=b")
	if err := f.documents().DeleteDocument(ctx, "a", v2); err != nil {
		f.Fatalf("DeleteDocument: %v", err)
	}
	try("what is deleted", "a", v2)
	f.wantDocuments("b=b")
}

// versionsNeverReused: not for the same content, not after a delete, not for other documents, not after a Step.
func versionsNeverReused(f *fixture) {
	seen := map[storage.Version]bool{}
	for i := range 20 {
		name := fmt.Sprint("d", i%2)
		v1 := f.putDocument(name, "same", 0)
		v2 := f.putDocument(name, "same", v1)
		if err := f.documents().DeleteDocument(context.Background(), name, v2); err != nil {
			f.Fatalf("DeleteDocument: %v", err)
		}
		if seen[v1] || seen[v2] || v1 == v2 {
			f.Fatalf("versions %x and %x, one of which was there before", v1, v2)
		}
		seen[v1], seen[v2] = true, true
		if i%5 == 0 {
			f.step()
		}
	}
}

// documentNames: names are kept as they are, and those that differ are different documents.
func documentNames(f *fixture) {
	var want []string
	names := []string{
		"a", "A", "aa", "a b", " a", "a/b", "a\\b", "../a", "/", "...", "%", "%61", "%2e", "a.doc", "a.new", "a.doc.new", "LOCK", "con", "-", "_", "~", "*", "?",
		"ä", "a\u0308", "東京", "\U0001F4C8", "<img src=x onerror=alert(1)>", strings.Repeat("%", storage.MaxDocumentName), strings.Repeat("é", storage.MaxDocumentName/2),
	}
	slices.Sort(names)
	for i, name := range names {
		f.putDocument(name, fmt.Sprint(i), 0)
		want = append(want, fmt.Sprint(name, "=", i))
	}
	f.wantDocuments(want...)
	for _, name := range []string{"", ".", "..", "a\nb", "\x00", "a\u0085", "\x7f", "\xff", strings.Repeat("a", storage.MaxDocumentName+1)} {
		_, err := f.documents().PutDocument(context.Background(), name, nil, 0)
		f.wantError(fmt.Sprintf("put of %q", name), err, storage.ErrDocumentName)
		_, _, err = f.documents().GetDocument(context.Background(), name)
		f.wantError(fmt.Sprintf("get of %q", name), err, storage.ErrDocumentName)
		f.wantError(fmt.Sprintf("delete of %q", name), f.documents().DeleteDocument(context.Background(), name, 1), storage.ErrDocumentName)
	}
	f.wantDocuments(want...)
}

func documentSizes(f *fixture) {
	large := strings.Repeat("large\x00\n\xff", storage.MaxDocument/8)
	v := f.putDocument("a", large, 0)
	f.wantDocuments("a=" + large)
	for name, expected := range map[string]storage.Version{"a": v, "b": 0} {
		_, err := f.documents().PutDocument(context.Background(), name, []byte(large+"!"), expected)
		f.wantError("one byte too many", err, storage.ErrDocumentSize)
	}
	f.putDocument("a", "small", v)
	f.wantDocuments("a=small")
}

func documentLimit(f *fixture) {
	first := f.putDocument("0000", "", 0)
	for i := range storage.MaxDocuments - 1 {
		f.putDocument(fmt.Sprintf("%04d", i+1), "", 0)
	}
	_, err := f.documents().PutDocument(context.Background(), "new", nil, 0)
	f.wantError("one document too many", err, storage.ErrDocumentLimit)
	f.step()
	_, err = f.documents().PutDocument(context.Background(), "new", nil, 0)
	f.wantError("one document too many after Step", err, storage.ErrDocumentLimit)
	first = f.putDocument("0000", "replaced", first)
	if err := f.documents().DeleteDocument(context.Background(), "0000", first); err != nil {
		f.Fatalf("DeleteDocument: %v", err)
	}
	f.putDocument("new", "", 0)
}

// documentBytes: the store keeps neither what it was given nor what it gives.
func documentBytes(f *fixture) {
	data := []byte("mine")
	if _, err := f.documents().PutDocument(context.Background(), "a", data, 0); err != nil || string(data) != "mine" {
		f.Fatalf("PutDocument: %q, %v", data, err)
	}
	copy(data, "####")
	f.wantDocuments("a=mine")
	_, got, err := f.documents().GetDocument(context.Background(), "a")
	if err != nil {
		f.Fatalf("GetDocument: %v", err)
	}
	copy(got, "####")
	f.wantDocuments("a=mine")
}

// documentWriters: of writers that have seen the same version exactly one wins, and nobody's change is lost.
func documentWriters(f *fixture) {
	const writers, each = 8, 10
	docs, ctx := f.documents(), context.Background()
	grow := func(mark byte) func() error {
		return func() error {
			for done := 0; done < each; {
				info, data, err := docs.GetDocument(ctx, "a")
				if err != nil && !errors.Is(err, storage.ErrNoDocument) {
					return err
				}
				switch _, err = docs.PutDocument(ctx, "a", append(data, mark), info.Version); {
				case err == nil:
					done++
				case !errors.Is(err, storage.ErrVersion):
					return err
				}
			}
			return nil
		}
	}
	var fs []func() error
	for i := range writers {
		fs = append(fs, grow('a'+byte(i)))
	}
	f.together("writers of one document", fs...)
	_, data, err := docs.GetDocument(ctx, "a")
	for i := range writers {
		if n := bytes.Count(data, []byte{'a' + byte(i)}); n != each {
			f.Errorf("%d of the %d changes of writer %d are there; %v", n, each, i, err)
		}
	}
}

// documentsAreNoSamples: neither knows anything of the other.
func documentsAreNoSamples(f *fixture) {
	f.put("a 1=1")
	f.putDocument("a", "1", 0)
	f.want(always(), "a 1=1")
	f.wantCounts(1, 1)
	f.delete(always())
	f.want(always())
	f.wantDocuments("a=1")
}

// documentContext: with a done context nothing is changed.
func documentContext(f *fixture) {
	v := f.putDocument("a", "1", 0)
	docs := f.documents()
	_, err := docs.ListDocuments(done())
	f.wantError("list", err, context.Canceled)
	_, _, err = docs.GetDocument(done(), "a")
	f.wantError("get", err, context.Canceled)
	_, err = docs.PutDocument(done(), "a", nil, v)
	f.wantError("put", err, context.Canceled)
	f.wantError("delete", docs.DeleteDocument(done(), "a", v), context.Canceled)
	f.wantDocuments("a=1")
}

func documentsAfterClose(f *fixture) {
	v := f.putDocument("a", "1", 0)
	docs, ctx := f.documents(), context.Background()
	f.together("Close beside calls", f.store.Close, func() error {
		for i := 0; ; i++ {
			if _, err := docs.PutDocument(ctx, fmt.Sprint("b", i), nil, 0); errors.Is(err, storage.ErrClosed) {
				return nil
			} else if err != nil && !errors.Is(err, storage.ErrDocumentLimit) {
				return err
			}
		}
	})
	_, err := docs.ListDocuments(ctx)
	f.wantClosed("list", err)
	_, _, err = docs.GetDocument(ctx, "a")
	f.wantClosed("get", err)
	_, err = docs.PutDocument(ctx, "a", nil, v)
	f.wantClosed("put", err)
	f.wantClosed("delete", docs.DeleteDocument(ctx, "a", v))
}
