/* lwIP as a board has it for network.PPP, with all that it offers to negotiate: VJ compression,
   IPv6, CHAP. No system is below it: the test says what time it is, and calls. */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define MEM_LIBC_MALLOC 1
#define MEMP_MEM_MALLOC 1
#define MEM_ALIGNMENT 8

#define LWIP_ARP 0
#define LWIP_ETHERNET 0
#define LWIP_IPV4 1
#define LWIP_IPV6 1
#define IPV6_FRAG_COPYHEADER 1 /* where pointers have 64 bits */
#define LWIP_ICMP 1
#define LWIP_UDP 1
#define LWIP_DNS 1
#define LWIP_TCP 1
#define TCP_MSS 1440
#define TCP_WND (4 * TCP_MSS)
#define TCP_SND_BUF (4 * TCP_MSS)

#define PPP_SUPPORT 1
#define PPPOS_SUPPORT 1
#define PAP_SUPPORT 1
#define CHAP_SUPPORT 1
#define VJ_SUPPORT 1
#define PPP_IPV6_SUPPORT 1
#define PPP_MAXIDLEFLAG 100 /* ms of silence after which a frame begins with a flag again */
#define LCP_ECHOINTERVAL 3  /* the link is told to be dead after three without an answer */
#define LCP_MAXECHOFAILS 3

#endif
