// libcurl, opened where it is first needed and never linked: what of its interface is used here, without its header.
//
// Its functions with a variable last argument have one function each for a kind of value. The numbers of its options and results have
// never changed since they were given out; `numbers.c` holds them against the header where there is one.
// Source: curl.se/libcurl/c.
#ifndef CCURL_H
#define CCURL_H

#include <stddef.h>
#include <stdint.h>

/// Opens the library, once for the process and from any thread. 0, or 1 where there is none of use: `ccurl_problem` says why.
int ccurl_open(void);
const char *ccurl_problem(void);

// Every function below is called after `ccurl_open` gave 0.

typedef struct ccurl_easy ccurl_easy;
typedef struct ccurl_multi ccurl_multi;
typedef struct ccurl_list ccurl_list;
typedef struct ccurl_url ccurl_url;

/// Where an error is explained has room for so many bytes.
enum { ccurl_error_size = 256 };

enum ccurl_option {
  CCURL_OPTION_WRITE_DATA = 10001,
  CCURL_OPTION_URL = 10002,
  CCURL_OPTION_PROXY = 10004,
  CCURL_OPTION_READ_DATA = 10009,
  CCURL_OPTION_ERROR_BUFFER = 10010,
  CCURL_OPTION_WRITE_FUNCTION = 20011,
  CCURL_OPTION_READ_FUNCTION = 20012,
  CCURL_OPTION_USER_AGENT = 10018,
  CCURL_OPTION_LOW_SPEED_LIMIT = 19,
  CCURL_OPTION_LOW_SPEED_TIME = 20,
  CCURL_OPTION_HEADERS = 10023,
  CCURL_OPTION_HEADER_DATA = 10029,
  CCURL_OPTION_METHOD = 10036,
  CCURL_OPTION_NO_BODY = 44,
  CCURL_OPTION_UPLOAD = 46,
  CCURL_OPTION_CERTIFICATES_FILE = 10065,
  CCURL_OPTION_HEADER_FUNCTION = 20079,
  CCURL_OPTION_CERTIFICATES_FOLDER = 10097,
  CCURL_OPTION_NO_SIGNAL = 99,
  CCURL_OPTION_ACCEPT_ENCODING = 10102,
  CCURL_OPTION_UPLOAD_SIZE = 30115,
  CCURL_OPTION_BODY_SIZE = 30120,
  CCURL_OPTION_CONNECT_MILLISECONDS = 156,
  CCURL_OPTION_COPIED_BODY = 10165,
  CCURL_OPTION_SEEK_FUNCTION = 20167,
  CCURL_OPTION_SEEK_DATA = 10168,
  CCURL_OPTION_PROTOCOLS = 181,
  CCURL_OPTION_KEEP_ALIVE = 213,
  CCURL_OPTION_PROXY_CERTIFICATES_FILE = 10246,
  CCURL_OPTION_PROXY_CERTIFICATES_FOLDER = 10247,
  CCURL_OPTION_HIDE_PROXY_HEADERS = 265,
  CCURL_OPTION_QUICK_EXIT = 322,
};

/// Bits of `CCURL_OPTION_PROTOCOLS`.
enum { ccurl_protocol_http = 1, ccurl_protocol_https = 2 };

enum ccurl_multi_option { CCURL_MULTI_OPTION_KEPT_CONNECTIONS = 6 };

enum ccurl_result {
  CCURL_RESULT_OK = 0,
  CCURL_RESULT_BAD_URL = 3,
  CCURL_RESULT_PROXY_NOT_FOUND = 5,
  CCURL_RESULT_HOST_NOT_FOUND = 6,
  CCURL_RESULT_NOT_CONNECTED = 7,
  CCURL_RESULT_HTTP2 = 16,
  CCURL_RESULT_PARTIAL = 18,
  CCURL_RESULT_TIMED_OUT = 28,
  CCURL_RESULT_TLS_HANDSHAKE = 35,
  CCURL_RESULT_NOTHING_CAME = 52,
  CCURL_RESULT_NOT_SENT = 55,
  CCURL_RESULT_NOT_RECEIVED = 56,
  CCURL_RESULT_TLS_OWN_CERTIFICATE = 58,
  CCURL_RESULT_TLS_CIPHER = 59,
  CCURL_RESULT_TLS_PEER = 60,
  CCURL_RESULT_TLS_CERTIFICATES = 77,
  CCURL_RESULT_TLS_ISSUER = 83,
  CCURL_RESULT_TLS_STATUS = 91,
  CCURL_RESULT_HTTP2_STREAM = 92,
};

enum ccurl_url_part {
  CCURL_URL_WHOLE = 0,
  CCURL_URL_SCHEME = 1,
  CCURL_URL_USER = 2,
  CCURL_URL_PASSWORD = 3,
  CCURL_URL_HOST = 5,
  CCURL_URL_PORT = 6,
  CCURL_URL_QUERY = 8,
  CCURL_URL_FRAGMENT = 9,
};

/// Gives or takes `size * count` bytes; another result than all of them (or, of a read, than some) ends the transfer.
typedef size_t (*ccurl_data_function)(char *bytes, size_t size, size_t count, void *data);
/// 0 when the position is had.
typedef int (*ccurl_seek_function)(void *data, int64_t offset, int origin);

ccurl_easy *ccurl_easy_new(void);
void ccurl_easy_free(ccurl_easy *easy);
/// Every option as it was; connections and names that were looked up stay.
void ccurl_easy_reset(ccurl_easy *easy);
/// Each gives a `ccurl_result`.
int ccurl_set_number(ccurl_easy *easy, enum ccurl_option option, long value);
int ccurl_set_size(ccurl_easy *easy, enum ccurl_option option, int64_t value);
/// Copied.
int ccurl_set_text(ccurl_easy *easy, enum ccurl_option option, const char *value);
/// Not copied, except by `CCURL_OPTION_COPIED_BODY`.
int ccurl_set_pointer(ccurl_easy *easy, enum ccurl_option option, const void *value);
int ccurl_set_list(ccurl_easy *easy, enum ccurl_option option, ccurl_list *value);
int ccurl_set_data_function(ccurl_easy *easy, enum ccurl_option option, ccurl_data_function value);
int ccurl_set_seek_function(ccurl_easy *easy, enum ccurl_option option, ccurl_seek_function value);
const char *ccurl_message(int result);

/// The list with a copy of the text behind it; null where there is no memory, and then the list is as it was.
ccurl_list *ccurl_list_with(ccurl_list *list, const char *text);
void ccurl_list_free(ccurl_list *list);

ccurl_multi *ccurl_multi_new(void);
void ccurl_multi_free(ccurl_multi *multi);
int ccurl_multi_set_number(ccurl_multi *multi, enum ccurl_multi_option option, long value);
/// These give 0, or what `ccurl_multi_message` explains.
int ccurl_multi_add(ccurl_multi *multi, ccurl_easy *easy);
int ccurl_multi_remove(ccurl_multi *multi, ccurl_easy *easy);
int ccurl_multi_perform(ccurl_multi *multi);
/// Waits for the connections, and for a descriptor of ours that can be read unless it is negative.
int ccurl_multi_wait(ccurl_multi *multi, int descriptor, int milliseconds);
const char *ccurl_multi_message(int result);
/// One that has ended, with its `ccurl_result`; null when there is none. It is still to be removed.
ccurl_easy *ccurl_multi_ended(ccurl_multi *multi, int *result);

ccurl_url *ccurl_url_new(void);
void ccurl_url_free(ccurl_url *url);
/// 0 when it is taken. A whole URL may be relative to what is there; null removes a part.
int ccurl_url_set(ccurl_url *url, enum ccurl_url_part part, const char *text);
/// Null where there is none; to be given to `ccurl_text_free`. A port that is not written is the scheme's.
char *ccurl_url_get(ccurl_url *url, enum ccurl_url_part part);
void ccurl_text_free(char *text);

#endif
