package api

import (
	_ "embed"
	"net/http"

	"github.com/gin-gonic/gin"
)

// description is OpenAPI 3.1, written by hand; a test keeps it equal to the routes and types.
//
//go:embed openapi.json
var description []byte

func serveDescription(c *gin.Context) { c.Data(http.StatusOK, "application/json", description) }
