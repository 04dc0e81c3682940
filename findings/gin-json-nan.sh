#!/bin/sh
# gin v1.12.0: Context.JSON of a value that JSON cannot hold, such as NaN, answers 200 with an empty
# body. The status is written before the encoder fails; the error is only in Context.Errors, which
# gin's own logger prints and the client never receives.
. "$(dirname "$0")/common"

go_get github.com/gin-gonic/gin@v1.12.0
cat >main.go <<'GO'
package main

import (
	"fmt"
	"math"
	"net/http/httptest"

	"github.com/gin-gonic/gin"
)

func main() {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.GET("/", func(c *gin.Context) {
		c.JSON(200, gin.H{"share": math.NaN()})
		fmt.Println("handler sees:", c.Errors.Last())
	})
	answer := httptest.NewRecorder()
	engine.ServeHTTP(answer, httptest.NewRequest("GET", "/", nil))
	fmt.Printf("client sees: %d, %d bytes of %s\n", answer.Code, answer.Body.Len(),
		answer.Header().Get("Content-Type"))
}
GO

expect "$(go run .)" "handler sees: json: unsupported value: NaN
client sees: 200, 0 bytes of application/json; charset=utf-8"
