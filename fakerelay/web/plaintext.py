"""An answer for those who speak plain HTTP to the TLS port, in place of a connection cut off.

It costs other connections nothing: OpenSSL itself tells HTTP from a handshake that went wrong.
"""

import ssl
from typing import Any

# Both ports answer it: who asks for plain HTTP may want either.
_BODY = (
    b"This port speaks HTTPS: call it with https://"
    b" (plain HTTP is for the vendor API alone, by --http-port)\n"
)
_ANSWER = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
)


class _AnsweringObject(ssl.SSLObject):
    """One connection; once answered it drops what comes until the client goes or time is up."""

    incoming: ssl.MemoryBIO
    outgoing: ssl.MemoryBIO
    _is_answered = False

    def do_handshake(self) -> None:
        if self._is_answered:
            self.incoming.read()
            raise ssl.SSLWantReadError
        try:
            super().do_handshake()
        except ssl.SSLError as error:
            if error.reason != "HTTP_REQUEST":
                raise
            self._is_answered = True
            self.incoming.read()
            self.outgoing.write(_ANSWER)
            # Not the error: with it, asyncio would close before the answer is sent.
            raise ssl.SSLWantReadError from error


class AnsweringContext(ssl.SSLContext):
    """A server's context that answers plain HTTP with a 400."""

    sslobject_class = _AnsweringObject

    def wrap_bio(
        self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *args: Any, **kwargs: Any
    ) -> ssl.SSLObject:
        connection = super().wrap_bio(incoming, outgoing, *args, **kwargs)
        assert isinstance(connection, _AnsweringObject)
        connection.incoming, connection.outgoing = incoming, outgoing
        return connection
