// Package httpstatus remembers which status a handler has answered.
package httpstatus

import "net/http"

// Writer is a ResponseWriter that remembers the status.
type Writer struct {
	http.ResponseWriter
	Status int // 200 until a handler says something else
}

// Of remembers the status of what is written to w.
func Of(w http.ResponseWriter) *Writer { return &Writer{ResponseWriter: w, Status: http.StatusOK} }

// WriteHeader remembers the status.
func (w *Writer) WriteHeader(status int) {
	w.Status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *Writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
