/* A board's network.PPP: lwIP's PPP over a serial line, and its TCP/IP, as a process.

   Commands come in lines, and each is answered with lines up to one that is ".":

     t MS               it is MS milliseconds now
     i HEX              bytes from the module
     open [USER KEY]    call (PAP with a user)
     close              end the link in good order
     get HOST PORT PATH a page by HTTP; HOST is an address or a name

     o HEX              bytes for the module
     status N           of the link: 0 it is up, else PPPERR_* of ppp.h
     up ADDRESS GATEWAY DNS MTU
     d HEX              what the HTTP server has sent
     end N              it has closed (0), or there was no connection: err_t of lwIP, 1 for no name
*/

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lwip/dns.h"
#include "lwip/init.h"
#include "lwip/tcp.h"
#include "lwip/timeouts.h"
#include "netif/ppp/pppapi.h"
#include "netif/ppp/pppos.h"

#if LWIP_VERSION_MAJOR == 2 && LWIP_VERSION_MINOR < 2
typedef u8_t *output_t;
#else
typedef const void *output_t;
#endif

static u32_t now;
static struct netif netif;
static ppp_pcb *ppp;
static char path[256];
static u16_t port;

u32_t sys_now(void) { return now; }
u32_t sys_jiffies(void) { return now; }

static void hex(const char *word, const u8_t *data, size_t n)
{
  printf("%s ", word);
  while (n--) {
    printf("%02x", *data++);
  }
  printf("\n");
}

static u32_t output(ppp_pcb *pcb, output_t data, u32_t n, void *context)
{
  (void)pcb, (void)context;
  hex("o", data, n);
  return n;
}

static void status(ppp_pcb *pcb, int code, void *context)
{
  (void)pcb, (void)context;
  printf("status %d\n", code);
  if (code == PPPERR_NONE) {
    printf("up %s", ip4addr_ntoa(netif_ip4_addr(&netif)));
    printf(" %s", ip4addr_ntoa(netif_ip4_gw(&netif)));
    printf(" %s %d\n", ipaddr_ntoa(dns_getserver(0)), netif.mtu);
  }
}

/* The page ------------------------------------------------------------------------------------ */

static void failed(void *context, err_t error)
{
  (void)context;
  printf("end %d\n", error);
}

static err_t received(void *context, struct tcp_pcb *tcp, struct pbuf *p, err_t error)
{
  struct pbuf *part;
  (void)context, (void)error;
  if (p == NULL) {
    printf("end 0\n");
    tcp_err(tcp, NULL);
    return tcp_close(tcp);
  }
  for (part = p; part != NULL; part = part->next) {
    hex("d", part->payload, part->len);
  }
  tcp_recved(tcp, p->tot_len);
  pbuf_free(p);
  return ERR_OK;
}

static err_t connected(void *context, struct tcp_pcb *tcp, err_t error)
{
  char request[400];
  (void)context, (void)error;
  snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\nHost: x\r\n\r\n", path);
  return tcp_write(tcp, request, (u16_t)strlen(request), TCP_WRITE_FLAG_COPY);
}

static void found(const char *name, const ip_addr_t *address, void *context)
{
  struct tcp_pcb *tcp;
  (void)name, (void)context;
  if (address == NULL) {
    printf("end 1\n");
    return;
  }
  tcp = tcp_new();
  tcp_err(tcp, failed);
  tcp_recv(tcp, received);
  if (tcp_connect(tcp, address, port, connected) != ERR_OK) {
    printf("end %d\n", ERR_RTE);
  }
}

/* Commands ------------------------------------------------------------------------------------ */

static void call(const char *user, const char *key)
{
  if (ppp == NULL) {
    ppp = pppos_create(&netif, output, status, NULL);
    ppp_set_default(ppp);
    ppp_set_usepeerdns(ppp, 1);
  } else if (ppp->phase != PPP_PHASE_DEAD) {
    ppp_close(ppp, 1);
  }
  ppp_set_auth(ppp, user != NULL ? PPPAUTHTYPE_PAP : PPPAUTHTYPE_NONE, user, key);
  ppp_connect(ppp, 0);
}

static void input(const char *text)
{
  unsigned int byte;
  u8_t data;
  for (; sscanf(text, "%2x", &byte) == 1; text += 2) {
    data = (u8_t)byte;
    pppos_input(ppp, &data, 1);
  }
}

static void page(const char *host)
{
  ip_addr_t address;
  err_t error = dns_gethostbyname(host, &address, found, NULL);
  if (error == ERR_OK) {
    found(host, &address, NULL);
  } else if (error != ERR_INPROGRESS) {
    printf("end %d\n", error);
  }
}

int main(void)
{
  static char line[65536], user[80], key[80], host[256];
  unsigned int number;
  int n;
  lwip_init();
  while (fgets(line, sizeof(line), stdin) != NULL) {
    if (sscanf(line, "t %u", &number) == 1) {
      now = number;
    } else if (strncmp(line, "i ", 2) == 0) {
      input(line + 2);
    } else if (strncmp(line, "open", 4) == 0) {
      n = sscanf(line, "open %79s %79s", user, key);
      call(n == 2 ? user : NULL, key);
    } else if (strncmp(line, "close", 5) == 0) {
      ppp_close(ppp, 0);
    } else if (sscanf(line, "get %255s %u %255s", host, &number, path) == 3) {
      port = (u16_t)number;
      page(host);
    } else {
      printf("what? %s", line);
    }
    sys_check_timeouts();
    printf(".\n");
    fflush(stdout);
  }
  return 0;
}
