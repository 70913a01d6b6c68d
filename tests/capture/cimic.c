/* A simulated microphone for tests without a sound card: an ALSA capture device (external I/O plugin) that plays a raw
   16-bit file in real time and sample by sample, and that can be unplugged, stalled and drifted.

   Build:  cc -shared -fPIC -DPIC -o libasound_module_pcm_cimic.so cimic.c -lasound      (libasound2-dev)
   Use, in ~/.asoundrc:
     pcm_type.cimic { lib "/path/to/libasound_module_pcm_cimic.so" }
     pcm.room { type cimic infile "/path/to/mic.raw" rate 48000 channels 1 }
   Keys: infile, rate, channels; loop 1 (start again at the file's end, else zeros); ppm N (clock that runs wrong);
   gone_file "F" (unplugged while F exists); unplug_ms N (unplugged N ms after the first start);
   stall_ms N with stall_len_ms M (N ms after its start delivers nothing for M ms, then all at once).
   since "F" (the file plays on while the device is closed: its first start is kept in F, a later one goes on from there).
   hang_file "F" (a start does not return while F exists).
   What nobody reads in time is lost, as on hardware. */
#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <sys/timerfd.h>
#include <fcntl.h>
#include <time.h>
typedef struct { snd_pcm_ioplug_t io; int tfd, fd; long rate, ch, ppm, unplug_ms, stall_ms, stall_len_ms, loop, bpf; double t0, T0; long long start, len; snd_pcm_access_t acc; char gone[256], since[256], hang[256]; } mic;
static double now(void){ struct timespec t; clock_gettime(CLOCK_MONOTONIC,&t); return t.tv_sec+t.tv_nsec*1e-9; }
static long long avail_total(mic*m){ double d=m->t0-m->T0, e=now()-m->T0, s=m->stall_ms/1e3, l=m->stall_len_ms/1e3; if(m->stall_ms && e>s) e = e<s+l ? s : e;  /* stalls, then delivers all at once */ return e<d ? 0 : (long long)((e-d)*m->io.rate*(1+m->ppm*1e-6)); }
static int gone(mic*m){ return (m->unplug_ms && m->T0 && (now()-m->T0)*1e3>m->unplug_ms) || (*m->gone && !access(m->gone,F_OK)); }
static double since(mic*m){ double t=0; FILE*f; if(*m->since){ if((f=fopen(m->since,"r"))){ if(fscanf(f,"%lf",&t)!=1) t=0; fclose(f); } if(!t && (f=fopen(m->since,"w"))){ fprintf(f,"%.9f",m->t0); fclose(f); } } return t?t:m->t0; }
static int c_start(snd_pcm_ioplug_t*io){ mic*m=io->private_data; struct itimerspec s={{0,5000000},{0,5000000}}; while(*m->hang && !access(m->hang,F_OK)) usleep(1000); m->t0=now(); if(!m->T0) m->T0=since(m); m->start=(long long)((m->t0-m->T0)*m->io.rate);  /* what went by unread is lost, as on hardware */ return timerfd_settime(m->tfd,0,&s,0); }
static int c_stop(snd_pcm_ioplug_t*io){ mic*m=io->private_data; struct itimerspec s={{0,0},{0,0}}; return timerfd_settime(m->tfd,0,&s,0); }
static snd_pcm_sframes_t c_ptr(snd_pcm_ioplug_t*io){ mic*m=io->private_data; if(gone(m)) return -ENODEV; long long a=avail_total(m); if(a-(long long)io->appl_ptr>(long long)io->buffer_size) return -EPIPE; return a%io->buffer_size; }
static int c_hw(snd_pcm_ioplug_t*io,snd_pcm_hw_params_t*p){ mic*m=io->private_data; return snd_pcm_hw_params_get_access(p,&m->acc); }
static snd_pcm_sframes_t c_xfer(snd_pcm_ioplug_t*io,const snd_pcm_channel_area_t*ar,snd_pcm_uframes_t off,snd_pcm_uframes_t n){ mic*m=io->private_data; if(gone(m)) return -ENODEV; char*b=(char*)ar->addr+(ar->first+ar->step*off)/8; size_t w=n*m->bpf,g=0;
  long long f=io->appl_ptr, cur=f%io->buffer_size;  /* stateless: mmap may ask for the same frames twice */ if(m->acc==SND_PCM_ACCESS_MMAP_INTERLEAVED) f=f-cur+off+((long long)off<cur?io->buffer_size:0); f=(m->start+f)*m->bpf;
  while(g<w){ long long at=f+g; if(m->loop) at%=m->len; ssize_t r=pread(m->fd,b+g,w-g,at); if(r<=0){ memset(b+g,0,w-g); break; } g+=r; } return n; }
static int c_rev(snd_pcm_ioplug_t*io,struct pollfd*p,unsigned n,unsigned short*r){ mic*m=io->private_data; uint64_t x; (void)!read(m->tfd,&x,8); if(gone(m)){ *r=POLLERR|POLLHUP; return 0; } *r=(avail_total(m)-(long long)io->appl_ptr>=(long long)io->period_size)?POLLIN:0; return 0; }
static int c_prep(snd_pcm_ioplug_t*io){ mic*m=io->private_data; if(gone(m)) return -ENODEV; m->bpf=io->channels*2; return 0; }
static int c_close(snd_pcm_ioplug_t*io){ mic*m=io->private_data; close(m->tfd); close(m->fd); free(m); return 0; }
static const snd_pcm_ioplug_callback_t cb={.start=c_start,.stop=c_stop,.pointer=c_ptr,.transfer=c_xfer,.prepare=c_prep,.hw_params=c_hw,.close=c_close,.poll_revents=c_rev};
SND_PCM_PLUGIN_DEFINE_FUNC(cimic){ snd_config_iterator_t i,nx; const char*file=NULL; mic*m=calloc(1,sizeof*m); int e; m->rate=48000; m->ch=1; (void)root; snd_config_for_each(i,nx,conf){ snd_config_t*n=snd_config_iterator_entry(i); const char*id; if(snd_config_get_id(n,&id)<0) continue;
    if(!strcmp(id,"infile")) snd_config_get_string(n,&file); else if(!strcmp(id,"gone_file")){ const char*g; if(!snd_config_get_string(n,&g)) snprintf(m->gone,sizeof m->gone,"%s",g); }
    else if(!strcmp(id,"since")){ const char*g; if(!snd_config_get_string(n,&g)) snprintf(m->since,sizeof m->since,"%s",g); }
    else if(!strcmp(id,"hang_file")){ const char*g; if(!snd_config_get_string(n,&g)) snprintf(m->hang,sizeof m->hang,"%s",g); }
#define L(k,f) else if(!strcmp(id,k)) snd_config_get_integer(n,&m->f);
    L("rate",rate) L("channels",ch) L("ppm",ppm) L("unplug_ms",unplug_ms) L("stall_ms",stall_ms) L("stall_len_ms",stall_len_ms) L("loop",loop) } if(stream!=SND_PCM_STREAM_CAPTURE||!file||(*m->gone&&!access(m->gone,F_OK))||(m->fd=open(file,O_RDONLY|O_CLOEXEC))<0){ free(m); return -ENODEV; }
  m->len=lseek(m->fd,0,SEEK_END); m->tfd=timerfd_create(CLOCK_MONOTONIC,TFD_NONBLOCK|TFD_CLOEXEC); m->io.version=SND_PCM_IOPLUG_VERSION; m->io.name="cimic"; m->io.callback=&cb; m->io.private_data=m; m->io.poll_fd=m->tfd; m->io.poll_events=POLLIN; m->io.mmap_rw=0;
  if((e=snd_pcm_ioplug_create(&m->io,name,stream,mode))<0){ free(m); return e; } static const unsigned acc[]={SND_PCM_ACCESS_RW_INTERLEAVED,SND_PCM_ACCESS_MMAP_INTERLEAVED}, fmt[]={SND_PCM_FORMAT_S16_LE}; unsigned r=m->rate,c=m->ch;
  snd_pcm_ioplug_set_param_list(&m->io,SND_PCM_IOPLUG_HW_ACCESS,2,acc); snd_pcm_ioplug_set_param_list(&m->io,SND_PCM_IOPLUG_HW_FORMAT,1,fmt); snd_pcm_ioplug_set_param_minmax(&m->io,SND_PCM_IOPLUG_HW_CHANNELS,c,c); snd_pcm_ioplug_set_param_minmax(&m->io,SND_PCM_IOPLUG_HW_RATE,r,r);
  snd_pcm_ioplug_set_param_minmax(&m->io,SND_PCM_IOPLUG_HW_PERIOD_BYTES,256,1<<20); snd_pcm_ioplug_set_param_minmax(&m->io,SND_PCM_IOPLUG_HW_BUFFER_BYTES,512,4<<20); *pcmp=m->io.pcm; return 0; }
SND_PCM_PLUGIN_SYMBOL(cimic);

