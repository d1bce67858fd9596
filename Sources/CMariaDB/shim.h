#include <mysql.h>
#include <errmsg.h>

/* Variadic in C, which Swift cannot call. */
static inline int dbtool_mysql_verifies_certificate(MYSQL *connection) {
  my_bool verifies = 0;
  mysql_get_optionv(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verifies);
  return verifies;
}
