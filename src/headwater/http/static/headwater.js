// Headwater's client for TypeScript (MIT) in one file, of clients/typescript/src. Made by `node scripts/bundles.ts` there; not to be edited.
var An=Object.defineProperty;var H=(t,e,r)=>()=>{if(r)throw r[0];try{return t&&(e=t(t=0)),e}catch(n){throw r=[n],n}};var We=(t,e)=>{for(var r in e)An(t,r,{get:e[r],enumerable:!0})};function wr(t){let e=Number(t)*1e3||Date.parse(t??"")-Date.now();return Number.isFinite(e)?Math.max(0,e):void 0}var S,Hn,
Xe,he,Wt,Ht,se,Ze,gr,_=H(()=>{"use strict";S=class extends Error{constructor(e,r,n={}){super(`${r} (${e})`,n);let{facts:o={},
retryable:s=Hn.test(e)}=n;Object.assign(this,{name:"HeadwaterError",...n,code:e,facts:o,retryable:s})}},Hn=/^(network|connect-timeout|silent|truncated|bad-answer)$/,
Xe=t=>/^(408|425|429|5(?!0[15]$)..)$/.test(String(t)),he=(t,e,r)=>t instanceof S?t:new S(e,`${r}: ${t}`,{cause:t});Wt=t=>({
...t,message:t.message}),Ht=t=>Object.assign(new S(t.code,"",t),{message:t.message}),se=(t,e)=>new S("stopped",t,e?{cause:e}:
{}),Ze=(t,e)=>new S("unknown-outcome",`it may have arrived: ${t}`,e?{cause:e}:{}),gr=()=>Ze("the server forgot this prod\
ucer")});function z(t,e){let r=()=>{let n=t?.reason;e(n instanceof S?n:se("aborted",n))};return t?.addEventListener("abort",r),t?.
aborted&&r(),()=>t?.removeEventListener("abort",r)}var ye=H(()=>{"use strict";_()});function de(t,e,r,n,o,s){let i=[];return new Promise(a=>{let d,p=f=>{d=t.now()+f,i.push(t.timer(f,a,"pause")),o?.(d)};p(
r);let u=f=>{o?.(d,f),!(s||!/^(on|v|r)/.test(f))&&p(Math.max(f==="online"?t.random()*500:0,e.woken()))};i.push(z(n,()=>a()),
t.watch(u))}).finally(()=>{for(let a of i)a()})}var Te=H(()=>{"use strict";ye()});function He(t){return{base:1e3,cap:3e4,attempts:t===!1?0:1/0,deadline:1/0,stable:5e3,connect:1e4,silence:0,...t}}function fe({
base:t,cap:e,stable:r,attempts:n,deadline:o},{now:s,random:i}){let a=[],d=!1,p,u=0,f,c=()=>{let l=s()-6e4;a=a.filter(O=>O>
l);let x=12-a.length;return 2*x<12?(a[0]-l)/Math.max(1,x+1):0},y={count:0,begin:()=>{a.push(s())},progress(){a=[],d=!0,y.
count=0},woken:()=>(y.count=u=0,c()),end({up:l=0,heard:x,planned:O,hint:h,personal:b}){let T=s(),k=d||l>=r&&x;k&&(y.count=
u=0,f=T);let g=T-(f??=T),w=1e3-l;return(!O||!k)&&(p=u===1?1-p:i(),w=p*Math.min(O?r:e,2*(t+g),t*2**u++),d||y.count++),d=!1,
w=Math.max(w,c(),(h||0)*(b?1:1+.3*i())),y.count>n||w+g>o?null:w}};return y}var ve=H(()=>{"use strict"});var Fe,et=H(()=>{"use strict";Fe=()=>crypto.getRandomValues(new Uint32Array(4)).join("-")});function Ft(t,e){return!e||typeof t=="string"?{raw:t}:{raw:t,get value(){return e.decode(t)}}}var ce,De,xe=H(()=>{"use s\
trict";te();ce=async t=>typeof t=="function"?N(async()=>t()):t;De=(t,e,r)=>Object.assign(Ft(t,r),{offset:e})});async function br(t,e,r,n){let o=fe(e,t),s=0;for(let i=!1;;i=!0)try{return o.begin(),await n(i)}catch(a){if(!(a instanceof
S)||!a.retryable||a.code==="bad-answer"&&(s+=1)>=3)throw a;let d=o.end({hint:a.retryAfter});if(d===null)throw a;await de(
t,o,d,r,void 0,a.retryAfter!==void 0)}}var vr=H(()=>{"use strict";_();Te();ve()});function xr(t){let e="";for(let r of t)e+=String.fromCharCode(r);return btoa(e)}var tt,G,we,Re,Ut,Ae,Or,re=H(()=>{"use s\
trict";tt="application/json",G=(t=tt)=>/^\s*(application\/|[^;]*\+)json\s*(;|$)/i.test(t)?"json":/^\s*text\//i.test(t)?"\
text":"bytes",we=t=>Uint8Array.from(atob(t),e=>e.charCodeAt(0));Re=t=>new TextEncoder().encode(t),Ut=()=>new TextDecoder(
"utf-8",{ignoreBOM:!0}),Ae=t=>Ut().decode(t),Or=(t,e)=>typeof t!="string"||e==="text"?t:e==="json"?JSON.parse(t):Re(t)});function kr(t,e){let r=G(e)==="json"?JSON.stringify(t):t;if(typeof r=="string")return Re(r);let{buffer:n=r,byteOffset:o,
byteLength:s}=Object(r);if(n instanceof ArrayBuffer)return new Uint8Array(n,o,s);throw new S("bad-record",`${typeof t} i\
s no record of ${e}`)}function rt(t){let e=new Uint8Array(t.reduce((n,o)=>n+o.length,0)),r=0;for(let n of t)e.set(n,r),r+=
n.length;return e}function nt(t,e){return G(e)!=="json"?rt(t):rt([...t.flatMap((r,n)=>[Re(n?",":"["),r]),Re("]")])}var Bt,
ot=H(()=>{"use strict";_();re();Bt=t=>!/^\s*application\/(x-|vnd\.google\.)?protobuf\b(?!.*encoding=delimited)/i.test(t)});function Er({door:t,retry:e,environment:r,signal:n},o,s,i,a){let{id:d,linger:p=5,batchBytes:u=1<<20,bufferBytes:f=8<<20,
claim:c,create:y,idempotent:l=!0}=a,x=l?a.inFlight??5:1,{epoch:O=0}=a;if(!d||!(O>=0&&u>0&&x>0))throw new S("bad-request",
"a producer has a name, an epoch from 0 on, and limits above 0");let h=fe(e,r),b=new AbortController,T=0,k,g,w=[],R=[],C,
I=0,P="",W,M,K=Promise.resolve(),B=!1,me=!1,Q=!1,V=-1/0,ne=[],Pe,be=async m=>{for(;!m();)await new Promise(v=>ne.push(v))},
X=()=>{for(let m of ne.splice(0))m()},ie=()=>be(()=>{let m=I<f||W;return m||q(),m}),Z=async(m,v,A,U)=>{k??=await s();let D=await i(
m,k);if(await ie(),W)throw W;let ae={bytes:D,resolve:v,reject:A};J(ae),ae.ignore=z(U,pe=>{let _e=g?.entries.indexOf(ae)??
-1;g&&_e>=0?(g.entries.splice(_e,1),g.size-=D.length,I-=D.length,A(pe)):A(se("signal aborted; the record may arrive",U?.
reason))})},J=m=>{let{bytes:v}=m,A=v?.length??0;return Bt(k)&&!w.at(-1)?.close&&(g??=w.pop()),g&&v&&(!Bt(k)||g.size+A>u)&&
q(),g??={entries:[],size:0,seq:0,bad:0},g.entries.push(m),g.size+=A,I+=A,C??=r.timer(p,q),g},q=()=>{C?.(),C=void 0,g?.entries.
length&&w.push(g),g=void 0,Ee()},j=async(m,v)=>{if(await K,W)throw W;k??=await s();let A=()=>{};return v!==void 0&&J({bytes:await i(
v,k),resolve:A,reject:A}),new Promise((U,D)=>{J({resolve:U,reject:D}).close=m,q()})},ee=(m,v)=>(M??=j(m,v),M.catch(()=>M=
void 0),M),Ee=()=>{B&&!R.length&&(B=!1,O+=1,T=0);let m=()=>R.some(v=>!v.seq)||(w[0]?.close||Q)&&R.length;for(;!B&&w.length&&
R.length<x&&!m();){let v=w.shift();v.seq=T++,v.lost=!1,R.push(v),Se(v)}},Se=async m=>{let v=Pr(m),A={body:v.length?nt(v,
k):void 0,type:k,producer:l?[d,O,m.seq]:void 0,create:y?{}:void 0,...m.close};for(m.write=A;m.write===A;){let U=R[0].seq;
(!t.live||m.seq===U)&&h.begin();try{let{offset:D}=await o.write(A,b.signal);if(m.write!==A)return;h.progress(),Q=!1,D>P&&
(P=D),$(m,D);return}catch(D){if(m.write!==A||!await oe(m,D,U))return}}},oe=async(m,v,A)=>{let{code:U,facts:D,message:ae,
retryable:pe,retryAfter:_e,status:pr}=v;if(pe&&!l&&pr===void 0)return Ye(m,Ze(ae,v));if(pe&&!(U==="bad-answer"&&++m.bad>=
3)){let Ke=r.now();if(m.lost=!0,Q=!t.live,Ke>=V){let mr=h.end({hint:_e});if(mr===null)return L(Ze(ae,v));V=Ke+mr}return await de(
r,h,V-Ke,b.signal,void 0,_e!==void 0),V=Math.min(V,r.now()),await be(()=>!Q||!m.write||m===R[0]),!0}return U==="producer\
-gap"?Y(m,Number(D.expected??D.expected_seq),A):U==="producer-fenced"&&c?le(Number(D.epoch??O)+1):pr===404&&y&&!me?(me=!0,
o.create({"content-type":k},void 0,b.signal).then(()=>!0,Ke=>oe(m,Ke,A))):Ye(m,v)},Y=async(m,v,A)=>{if(v>m.seq)return $(
m,P);if(v<A||A===m.seq)return le(O+1);let U=R.find(D=>D.seq<m.seq);return await be(()=>!U||!R.includes(U)),!0},le=m=>{O=
m,T=0;for(let v of R)v.lost&&E(v,gr());ue(R.filter(v=>v.write)),R=[],Ee(),X()},ue=m=>{for(let v of m)v.write=void 0;w.unshift(
...m)},Ye=(m,v)=>{if(Dn.test(v.code))return L(v);let A=R.filter(U=>U.seq>m.seq);R=R.filter(U=>U.seq<=m.seq),ue(A),B=!0,$(
m,v)},$=(m,v)=>{R=R.filter(A=>A!==m),E(m,v),Ee(),X()},E=(m,v)=>{m.write=void 0,I-=m.size;for(let{resolve:A,reject:U,ignore:D}of m.
entries)D?.(),typeof v=="string"?A(v):U(v)},L=m=>{W??=m,C?.(),Pe?.();let v=[...R,...w,...g?[g]:[]];R=[],w=[],g=void 0,b.
abort(m);for(let A of v)E(A,m);X()},F={id:d,get pending(){return[...R,...w,...g?[g]:[]].flatMap(Pr).length},append(m,{signal:v}={}){
return M?Promise.reject(new S("stream-closed","this producer has closed the stream")):new Promise((A,U)=>{K=K.then(()=>Z(
m,A,U,v)).catch(U)})},async write(m){if(W)throw W;F.append(m).catch(v=>W??=v),await K,await ie()},async flush(){if(await K,
q(),await be(()=>!g&&!w.length&&!R.length),W)throw W;return P},close:m=>ee({close:!0},m),fail:(m,v,A)=>ee({close:!0,fail:{
code:m,message:v}},A),async[Symbol.asyncDispose](){await F.flush().finally(()=>L(se("the producer was disposed of")))}};
return Pe=z(n,L),F}var Dn,Pr,Sr=H(()=>{"use strict";_();Te();ot();ve();ye();Dn=/^(producer-fenced|stream-closed|stream-gone)$/,
Pr=({entries:t})=>t.flatMap(({bytes:e})=>e??[])});function Tr(t,e,r={}){let{code:n,detail:o,message:s,title:i,offset:a}=e;return new S(Nt(n)??Un[t]??(t<500?"bad-answer":"\
internal"),Nt(o??s??i)??`the server answered ${t}`,{status:t,retryable:Xe(t),offset:Nt(a),facts:e,...r})}async function Rr(t){
let{status:e,headers:r,url:n}=t,o=`${e} for ${n}`,s={};if(/json|^text\/plain/.test(r.get("content-type")??"")){let i=await t.
text().catch(()=>"");try{s={...JSON.parse(i)}}catch{i&&(s.detail=`${i.slice(0,200)}: ${o}`)}}for(let[i,a]of Bn)s[a]??=r.
get(i)??void 0;return e===409&&s.expected!==void 0&&(s.code??="producer-gap"),e===403&&s.epoch!==void 0&&(s.code??="prod\
ucer-fenced"),e===409&&s.closed&&(s.code??="stream-closed"),s.detail??=o,Tr(e,s,{retryAfter:wr(r.get("retry-after"))})}function Ue({
headers:t,status:e},r){let n=t.get("content-type")??"no type",o={content_type:n,protocol:t.has("stream-next-offset")};return new S(
"bad-answer",`the server answered ${n} in place of ${r}`,{status:e,facts:o})}function Ar(t,e,r){let{issues:n,message:o=n?.
map(i=>i.message).join("; ")??String(t),facts:s=n?{issues:n}:{}}=Object(t);return new S("bad-record",`a record was refus\
ed: ${o}`,{offset:r,facts:{raw:e,...s},cause:t})}function Cr(t){if(t.kind==="stream-error"){let{data:s}=t;return s instanceof
S?s:Tr(Number(s.status)||0,s)}let{kind:e,offset:r,code:n="",message:o=""}=t;return new S(e,`the stream failed: ${n} ${o}`.
trim(),{offset:r,facts:{code:n,message:o}})}var Un,Nt,Bn,Be,Ne=H(()=>{"use strict";_();Un={400:"bad-request",401:"not-au\
thorized",403:"refused",404:"stream-not-found",405:"method-not-allowed",406:"not-acceptable",408:"request-timeout",409:"\
conflict",410:"gone",412:"precondition-failed",413:"too-large",415:"unsupported-coding",429:"rate-limited",503:"unavaila\
ble"},Nt=t=>typeof t=="string"?t:void 0;Bn=[["stream-next-offset","next_offset"],["stream-earliest-offset","earliest"],[
"producer-epoch","epoch"],["producer-expected-seq","expected"],["stream-closed","closed"]];Be=(t,e="bad-answer")=>he(t,e,
"the answer cannot be read")});function Oe(t){return new URL(t,globalThis.location?.href)}function It(t,e){for(let[r,n]of Object.entries(e))n!==void 0&&
t.set(r,String(n))}async function st(t,e){let r=await t.send(e);if(r.response.ok)return r;throw await t.problem(r.response).
finally(r.release)}function it(t,e){let{headers:r}=t,n=async({method:s="GET",url:i,headers:a={},body:d},p)=>{let u=new Headers(
typeof r=="function"?await r():r);It(u,a);let{credentials:f}=t;return(t.fetch??fetch)(i,{method:s,headers:u,body:d,credentials:f,
signal:p,cache:"no-store"})},o=async s=>{let i=new AbortController,{signal:a}=i,d=c=>i.abort(c),p=[t.signal,s.signal].map(
c=>z(c,d)),u=e.timer(s.limit,()=>d(new S("connect-timeout",`nothing came in ${s.limit} ms`))),f=()=>{u();for(let c of p)
c();i.abort()};try{let c=await new Promise((y,l)=>{z(a,l),n(s,a).then(y,l)});return c.ok&&u(),{response:c,signal:a,abort:d,
release:f}}catch(c){let y=qt(a,c);throw f(),y}};return{options:t,async send(s){let i=await o(s);return i.response.status!==
401||typeof r!="function"?i:(i.release(),o(s))}}}var qt,ge=H(()=>{"use strict";_();ye();qt=(t,e)=>he(t.reason??e,"networ\
k","no answer")});function $t(t){let e=t.get("stream-failure");if(e!==null)return{code:e,message:decodeURIComponent(t.get("stream-failure-\
message")??"")}}function Mt(t,e){let r=t.get("stream-next-offset")??e,n=$t(t);return n?{kind:"stream-failed",offset:r,...n}:
{kind:"stream-closed",offset:r}}function Lr(t,e,r){if(e.status===204)return Mt(e.headers,r);throw Ue(e,t)}var at=H(()=>{
"use strict";Ne()});function Wr(t){let e=o=>t.get(o)??void 0,r=e("stream-ttl"),n=e("stream-expires-at");return{type:e("content-type")??"",offset:e(
"stream-next-offset")??"",earliest:e("stream-earliest-offset"),closed:e("stream-closed")==="true",failure:$t(t),ttl:r?Number(
r):void 0,expiresAt:n?new Date(n):void 0,retention:e("stream-retention"),slow:e("stream-slow"),etag:e("etag")}}function Hr(t,e,r){
let n=async(o,s,i,a)=>{let d=He(t.options.retry).connect+(a?Nn:0),{response:p,release:u}=await st(t,{method:o,url:e(),headers:i,
body:a,signal:s,limit:d});if(u(),p.status!==204&&!p.headers.has("stream-next-offset"))throw Ue(p,"what a stream's server\
 says");return p};return{async write({body:o,type:s,producer:i,close:a,fail:d,create:p},u){let[f,c,y]=i??[],l={...p,"str\
eam-create":p&&!0,"content-type":o||p?s:void 0,"producer-id":f,"producer-epoch":c,"producer-seq":y,"stream-closed":a||void 0,
"stream-failure":d?.code,"stream-failure-message":d?.message?encodeURIComponent(d.message):void 0};return{offset:(await n(
"POST",u,l,o)).headers.get("stream-next-offset")??""}},create:async(o,s,i)=>Wr((await n("PUT",i,o,s)).headers),async head(o){
try{return Wr((await n("HEAD",o)).headers)}catch(s){if(s.status===404)return null;throw s}},delete:async o=>{await n("DE\
LETE",o)},sibling:o=>dt(new URL(o,e()),t,r)}}var Nn,Fr=H(()=>{"use strict";jt();Ne();ge();ve();at();Nn=6e4});var Dr={};We(Dr,{httpWrites:()=>Hr,writerOf:()=>In});function In(t,e){let{environment:r,parts:n,retry:o,signal:s}=t,i,a=(c,y)=>br(
r,o,c??s,y),d=async()=>t.type??(await f.head())?.type??tt,p=async(c,y)=>{if(!t.codec)return kr(c,y);let{encode:l}=await a(
void 0,()=>ce(t.codec)),{framed:x}=await a(void 0,()=>N(n.frames));try{return x(l(c),y)}catch(O){throw he(O,"bad-record",
`it is no record of ${y}`)}},u=(c=!1)=>i??=f.producer({id:Fe(),linger:0,create:c}),f={append:(c,y={})=>u(y.create).append(
c,y),producer:c=>Er(t,e,d,p,c),async create({type:c=t.type??tt,ttl:y,expiresAt:l,retention:x,slow:O,closed:h,records:b=[],
signal:T}={}){let k={"content-type":c,"stream-ttl":y,"stream-expires-at":l instanceof Date?l.toISOString():l,"stream-ret\
ention":x,"stream-slow":O,"stream-closed":h||void 0},g=await Promise.all(b.map(R=>p(R,c))),w=await a(T,()=>e.create(k,g.
length?nt(g,c):void 0,T));return t.type=c,t.created=r.now(),{...w,type:w.type||c}},async head({signal:c}={}){let y=await a(
c,()=>e.head(c));return t.type=y?.type||t.type,y},close:c=>u().close(c),fail:(c,y,l)=>u().fail(c,y,l),async fork(c,y,{signal:l}={}){
let x=e.sibling(c),O=await x.writes(),h=new URL(e.sibling("").url).pathname;return await a(l,()=>O.create({"stream-forke\
d-from":h,"stream-fork-offset":y},void 0,l)),t.another(x)},async delete({signal:c}={}){await a(c,async y=>{try{await e.delete(
c)}catch(l){if(!y||l.code!=="stream-not-found")throw l}})}};return f}var Ur=H(()=>{"use strict";et();xe();_();vr();Sr();
ot();te();re();Fr()});function Ie(t){let e=JSON.parse(t);if(!Array.isArray(e))throw new SyntaxError("no JSON array");let r=[],n=!1,o=0,s=0;for(let{
0:i,index:a}of t.matchAll(qn)){if(i==='"'&&(n=!n),n)continue;let d=i==="["||i==="{";d?o+=1:(i==="]"||i==="}")&&(o-=1),d&&
o===1?s=a+1:(!o||o===1&&i===",")&&(r.push(t.slice(s,a).trim()),s=a+1)}return e.map((i,a)=>({raw:r[a]??"",value:i}))}var qn,
ft=H(()=>{"use strict";qn=/\\.|["[\]{},]/gs});function _t(t){if(t.length>67108864)throw new RangeError(`more than ${67108864} characters in a line`)}function ct(){let t=Ut(),
e="\uFEFF",r="";return n=>{let o=t.decode(n,{stream:!0});if(!o)return[];o[0]===e&&(o=o.slice(1)),e=o.endsWith("\r")?`
`:"";let s=o.split(o.includes("\r")?/\r\n?|\n/:`
`),i=s.pop();return s.length&&(s[0]=r+s[0],r=""),r+=i,_t(r),s}}var Kt=H(()=>{"use strict";re()});function lt(t="",e){let r=ct(),n;return o=>{let s=[];for(let i of r(o)){if(!i){n&&s.push({...n,id:t}),n=void 0;continue}
let a=i.indexOf(":"),d=a<0?i:i.slice(0,a),p=a<0?"":i.slice(a+(i[a+1]===" "?2:1)),u=n??{event:"",data:null,id:t};if(d==="\
data")u.data=u.data===null?p:`${u.data}
${p}`;else if(d==="event")u.event=p;else if(d==="id"&&!p.includes("\0"))t=p;else if(!e?.(d,p,u))continue;n=u,_t(n.data??
"")}return s}}var zt=H(()=>{"use strict";Kt()});async function ut(t,{parts:e}){if(!/msgpack|protobuf/i.test(t))return n=>[n];let{split:r}=await N(e.frames);return n=>r(
n,t)}function pt(t,e,r){if(!t.length)return[];try{return e(t).map(n=>Ft(n,r))}catch(n){throw Be(n,"truncated")}}var Gt=H(
()=>{"use strict";xe();te();Ne()});function qe(t,e,r){return{...e,kind:t,offset:r,type:e.content_type,data:e}}var mt=H(()=>{"use strict"});function ht({response:t,signal:e,abort:r,release:n},o,s,i,a=37500){let d=t.body?.getReader(),p=Number(t.headers.get("str\
eam-heartbeat"))*1e3,u=s||2.5*p||a,f=1/0,c=!0,y=()=>o.now()-f,l=()=>r(new S("silent",`nothing came in ${y()} ms`,{facts:{
first:c}})),x=o.watch(O=>{O==="freeze"?r(new S("network",O)):O!=="hidden"&&O!=="offline"&&y()>u*1.2/2.5&&l()});return e.
addEventListener("abort",()=>{d?.cancel().catch(()=>{})}),{async read(){let O=c&&i||u;f=o.now();let h=o.timer(O,()=>{y()<
O+1e3?l():h=o.timer(3e3,l)});try{let b=await d?.read();return c=!1,e.throwIfAborted(),b?.value}catch(b){throw qt(e,b)}finally{
f=1/0,h()}},release(){x(),n()}}}var Qt=H(()=>{"use strict";_();ge()});function jn(t,{last:e,from:r,slow:n,missing:o},s){let i=new URL(t),a=e===void 0?{offset:r==="start"?"-1":r}:{last:e};return It(
i.searchParams,{...a,slow:n,missing:o==="wait"?o:void 0,...s}),i.href}function Vt(t,e,r,n,o,s=0){let{signal:i,retry:a}=r;
return r.sent(),st(t,{url:jn(e,r,n),headers:{accept:o},signal:i,limit:a.connect+s})}async function*_n(t,e,r,n){let{environment:o,
retry:s,first:i,parts:a}=n,{query:d,accept:p}=r,u=await Vt(t,e,n,d,p),{response:f}=u,{headers:c}=f,y=ht(u,o,s.silence,i);
try{if(f.status===204||!c.get("content-type")?.startsWith(p))return yield(await N(a.rest)).inPlaceOf(p,f,n.from);yield{kind:"\
open"};let l=await r.parser(f,n),x=r.tailless;for(;;){let O=y.read();x&&await Kn(O,o)&&(x=!1,yield{kind:"quiet"});let h=await O;
if(!h)break;let b=[];try{l(h,b)}catch(T){throw(await N(a.rest)).unreadable(T)}b.length||(yield{kind:"beat"}),yield*b}throw new S(
"truncated","it was cut")}finally{y.release()}}function yt(t,e){let{offset:r}=e,n=t.at(-1);n?.kind==="records"?(n.records.
push(e),n.offset=r):t.push({kind:"records",records:[e],offset:r,upToDate:!1})}function wt(t,e){let r=t.at(-1);r?.kind===
"records"?r.upToDate=!0:t.push({kind:"up-to-date",offset:e})}var Ce,Kn,Ge=H(()=>{"use strict";Qt();_();te();ge();Ce=t=>(e,r)=>({
name:t.name,open:n=>_n(e,r,t,n)});Kn=(t,e)=>new Promise(r=>{let n=e.timer(1e3,()=>r(!0)),o=()=>{n(),r(!1)};t.then(o,o)})});async function*Gn(t){let e=!1;try{for await(let r of t)e||=r.kind!=="open"&&(r.kind!=="beat"||"offset"in r),yield r}catch(r){
if(!e||r.code!=="truncated")throw r;yield{kind:"stream-detached"}}}var zn,Br,Nr=H(()=>{"use strict";xe();ft();re();zt();
Gt();mt();Ge();zn=Ce({name:"live-sse",accept:"text/event-stream",query:{live:"sse",missing:void 0},async parser({headers:t},e){
let{type:r,codec:n}=e,o=lt(),s=t.get("stream-sse-data-encoding")==="base64",i=await ce(n),a=s?await ut(r??"",e):void 0,d=[],
p=f=>a?pt(we(f),a,i):(r?G(r)==="json":f.startsWith("["))?Ie(f):f?[{raw:f}]:[],u=(f,c)=>{let{streamNextOffset:y,streamClosed:l,
streamFailure:x,streamError:O,streamDetached:h,streamGap:b}=f,T=f.upToDate===!0&&!l,k=(g,w)=>{w&&c.push(qe(g,w,y))};k("s\
tream-gap",b),d.length?c.push({kind:"records",records:d,offset:y,upToDate:T}):b||k(T?"up-to-date":"beat",{}),d=[],x?k("s\
tream-failed",x):l?k("stream-closed",{}):O?k("stream-error",O):k("stream-detached",h)};return(f,c)=>{for(let{event:y,data:l}of o(
f))l!==null&&(y==="data"?d.push(...p(l)):y==="control"&&u(JSON.parse(l),c))}}});Br=(...t)=>{let{name:e,open:r}=zn(...t);
return{name:e,open:n=>Gn(r(n))}}});function Yt(t=Jn){let e=lt();return(r,n)=>{for(let{event:o,data:s,id:i}of e(r))s===null?i&&wt(n,i):o.startsWith("stream-")?
n.push(qe(o,JSON.parse(s),i)):yt(n,t(s,i))}}var Jn,Ir,Xt=H(()=>{"use strict";te();re();zt();mt();Ge();Jn=(t,e)=>({raw:t,
offset:e});Ir=Ce({name:"sse",accept:"text/event-stream",query:{data:"json"},tailless:!0,async parser({headers:t},{type:e,
parts:r,codec:n}){let o=t.has("stream-sse-data-encoding");return Yt(o||G(e)!=="json"?await(await N(r.rest)).quoted(o,n):
void 0)}})});function Yn(t,e){let r=Qn.exec(t);return r&&Object.keys(e).every(n=>Vn.test(n))?t.trimEnd().slice(r[0].length,-1):JSON.stringify(
e.data)}async function qr({type:t,codec:e}){let r=await ce(e),n=G(t)==="json";return(o,s=JSON.parse(o))=>{let{offset:i,data:a,
base64:d,at:p,by:u}=s,f=p===void 0?{offset:i}:{offset:i,known:{at:p,by:u}};return d!==void 0?Object.assign(De(we(d),i,r),
f):n?{raw:Yn(o,s),value:a,...f}:{raw:String(a),...f}}}async function Zn(t){let e=await qr(t);return r=>e(r)}var Qn,Vn,Xn,
$r,Mr,jr=H(()=>{"use strict";xe();Kt();re();mt();Ge();Xt();Qn=/^\{"offset":"[^"\\]*",(?:"at":[\d.]+,)?(?:"by":\{[^{}]*\},)?"data":/,
Vn=/^(offset|at|by|data)$/;Xn=t=>Ce({name:"ndjson",accept:"application/x-ndjson",query:t,async parser(e,r){let n=await qr(
r),o=ct();return(s,i)=>{for(let a of o(s)){if(!a.trim())continue;let d=JSON.parse(a),{offset:p,control:u}=d;u==="up-to-d\
ate"?wt(i,p):u?i.push(qe(`stream-${u}`,d,p)):yt(i,n(a,d))}}}}),$r=Ce({name:"sse",accept:"text/event-stream",query:{envelope:1},
tailless:!0,parser:async(t,e)=>Yt(await Zn(e))});Mr=(t,e)=>({name:"ndjson",open:r=>Xn(r.envelope?{envelope:1}:{})(t,e).open(
r)})});async function to(t,{environment:e,retry:r}){let n=ht(t,e,r.silence),o=[];try{for(let s=await n.read();s;s=await n.read())
o.push(s);return rt(o)}finally{n.release()}}function ro({headers:t,type:e,url:r},{length:n},o){let s=n<Number(t.get("con\
tent-length"))&&!t.has("content-encoding"),i=r+n;if(!(!s||e==="cors"&&_r.get(o)===i))throw _r.set(o,i),new S("truncated",
"it was cut")}async function no(t,e,r){let n=G(e);if(n==="bytes")return pt(t,await ut(e,r),await ce(r.codec));let o=Ae(t);
if(n==="text")return o?[{raw:o}]:[];try{return Ie(o)}catch(s){throw Be(s,/]\s*$/.test(o)?"bad-answer":"truncated")}}async function*oo(t,e,r){
let{live:n,missing:o}=r,{from:s,last:i}=r,a,d=s==="now";for(;;){let p=n&&(d||o==="wait"),u={...r,from:s,last:i,...p?{}:{
slow:void 0,missing:void 0}},f=await Vt(t,e,u,{live:p?"long-poll":void 0,cursor:a},void 0,p?eo:0),{response:c}=f,{headers:y,
status:l}=c,x=y.get("stream-next-offset");if(x===null)throw f.release(),Ue(c,"a page of a stream");let O=await to(f,r);l!==
204&&ro(c,O,t);let h=y.get("content-type")??r.type??"",b=l===204?[]:await no(O,h,r),T=y.get("stream-up-to-date")==="true"||
l===204,k=T&&y.get("stream-closed")==="true",g=T&&!k;if(yield{kind:"open",type:h},b.length?yield{kind:"records",records:b,
offset:x,upToDate:g}:yield g?{kind:"up-to-date",offset:x}:{kind:"beat"},k&&(yield Mt(y,x)),d&&(!b.length||x===s))break;d=
T,s=x,i=void 0,a=y.get("stream-cursor")??void 0}yield{kind:"stream-detached"}}var eo,_r,Kr,zr=H(()=>{"use strict";Qt();xe();
_();ot();ft();re();Ne();Gt();at();Ge();eo=6e4;_r=new WeakMap;Kr=(t,e)=>({name:"long-poll",open:r=>oo(t,e,r)})});async function Gr(t,e){let r=await ce(e),n=o=>{let s=JSON.parse(o);return typeof s!="string"?we(s.base64):t?we(s):s};return(o,s)=>De(
n(o),s,r)}var Jr=H(()=>{"use strict";xe();re()});var Zt,er,gt,tr=H(()=>{"use strict";ge();Zt=new Map,er=t=>`headwater:transport:${Oe(t.url).origin}`,gt=t=>{let e=er(t);try{
return Zt.get(e)??Number(sessionStorage.getItem(e))}catch{return 0}}});function Qr(t,e,r,n,o){let s=e.length===1&&e[0]==="auto",i=0,a=0,d=0,p=0,u=()=>i+1>=n.length,f=(l,x)=>{i=l,a=x,d=p=0},c=()=>{
let l=r?["live-sse","long-poll"]:["long-poll"];return n[0]?.name===l[0]?!1:(n=t.transports(l,void 0,r),f(0,a),!0)},y=s?gt(
t):0;return y>o&&f(n.length-1,y),{current(l){return a&&l>=a&&f(0,0),[n[i],!u()]},settle:()=>f(i,a),async after({code:l,facts:x},O){
let h=l==="bad-answer";return d=h?d+1:0,p=l==="truncated"?p+1:0,h&&x.protocol&&s&&c()?!0:u()?d<3:(((l==="silent"?x.first:
l==="connect-timeout"&&e.length===1&&await co(t))||d>=3||p>=io)&&(f(n.length-1,O+so),s&&fo(er(t),a)),!0)}}}function fo(t,e){
Zt.set(t,e);try{sessionStorage.setItem(t,String(e))}catch{}}var so,io,ao,co,Vr=H(()=>{"use strict";ge();tr();so=30*6e4,io=
3,ao=1e3;co=async({requester:t,url:e})=>t?.send({url:Oe(e).href,method:"HEAD",limit:ao}).then(({release:r})=>(r(),!0),()=>!1)});var Yr={};We(Yr,{badRecord:()=>Ar,choiceOf:()=>Qr,inPlaceOf:()=>Lr,problemOf:()=>Rr,quoted:()=>Gr,told:()=>Cr,transportOf:()=>uo,
unreadable:()=>Be});function uo(t){let e=lo[t];if(e)return e;let r='import { connect } from "headwater/connection", or {\
 eventsource } from "headwater/eventsource"';throw new S("unsupported",`the transport ${t} is not in the core; ${r}`)}var lo,
Xr=H(()=>{"use strict";_();Nr();jr();zr();Ne();at();Jr();Vr();lo={sse:$r,ndjson:Mr,"long-poll":Kr,"live-sse":Br}});var Zr={};We(Zr,{framed:()=>mo,isDelimited:()=>nr,isMsgpack:()=>rr,split:()=>po});function po(t,e){if(!rr(e)&&!nr(e))return[
t];let r=[];for(let n=0;n<t.length;){let[o,s]=rr(e)?[n,wo(t,n)]:ho(t,n);if(s>t.length)throw new RangeError("a record is \
cut");r.push(t.subarray(o,s)),n=s}return r}function mo(t,e){if(!nr(e))return t;let r=[],n=t.length;for(;n>127;n=Math.floor(
n/128))r.push(n%128+128);return Uint8Array.of(...r,n,...t)}function ho(t,e){let r=0;for(let n=1;n<=128**4;n*=128){let o=t[e++]??
NaN;if(r+=o%128*n,!(o>127))return Number.isNaN(o)?[e,1/0]:[e,e+r]}throw new RangeError("a length has more than 32 bits")}
function wo(t,e){let r=new DataView(t.buffer,t.byteOffset,t.byteLength),n=o=>{let s=o===0?r.getUint8(e):o===1?r.getUint16(
e):r.getUint32(e);return e+=1<<o,s};for(let o=1;o>0&&e<=t.length;o-=1){let s=n(0),i=0;if(!(s<128||s>223)){if(s<144)o+=2*
(s%16);else if(s<160)o+=s%16;else if(s<192)i=s%32;else{if(s===193)throw new RangeError("0xc1 begins no value of MessageP\
ack");if(s<196)continue;s<199?i=n(s-196):s<202?i=n(s-199)+1:s<217?i=yo[s-202]:s<220?i=n(s-217):s<222?o+=n(s-219):o+=2*n(
s-221)}e+=i}}return e}var rr,nr,yo,en=H(()=>{"use strict";rr=t=>/^\s*application\/(x-|vnd\.)?msgpack\s*(;|$)/i.test(t),nr=
t=>/^\s*application\/(x-|vnd\.google\.)?protobuf\s*;.*\bencoding\s*=\s*"?delimited\b/i.test(t);yo=[4,8,1,2,4,8,1,2,4,8,2,
3,5,9,17]});function $e(t,e,r,n){let o,s=async()=>{let i=fe(e,t);for(;;){i.begin();try{return await n()}catch(a){let d=r?.aborted?null:
i.end({});if(d===null)throw o=void 0,r?.aborted?he(r.reason,"stopped","aborted"):a;await de(t,i,d,r)}}};return()=>o??=s()}
var Je,N,bt,te=H(()=>{"use strict";_();Te();ve();Je={writing:()=>Promise.resolve().then(()=>(Ur(),Dr)),rest:()=>Promise.resolve().then(()=>(Xr(),Yr)),
frames:()=>Promise.resolve().then(()=>(en(),Zr))},N=async(t,e)=>{try{return await t()}catch(r){throw new S("network",`im\
port(): ${r}`,{cause:r,retryAfter:e})}};bt=({rest:t})=>async e=>{let{problemOf:r}=await N(t,1e3*Number(e.headers.get("re\
try-after"))||0);return r(e)}});function dt(t,e,r){let n=()=>Oe(t).href,o=s=>({name:s,async*open(i){yield*(await N(r.rest)).transportOf(s)(e,n()).open(i)}});
return{url:String(t),transports(s,i,a,d){let p=[G(i)==="json"?"sse":"ndjson","long-poll"];return s.flatMap(f=>f==="auto"?
p:f).map(f=>typeof f=="function"?f(e,n()):f!=="sse"?o(f):a?d?o(f):Ir(e,n()):o("ndjson"))},requester:e,writes:async()=>(await N(
r.writing)).httpWrites(e,n,r)}}var jt=H(()=>{"use strict";te();re();ge();Xt()});function Ot(t){try{let e=JSON.parse(t);return e.t.trim(),e}catch(e){throw he(e,"bad-answer","no message")}}function sn(t,e){
let{r,at:n}=t;if(!r||n||!e.includes(`"r":${JSON.stringify(r)}`))return;let o=ar(t);return r.map((s,i)=>({value:s,raw:JSON.
stringify(s),offset:o[i]}))}var on,Me,Qe,ar,ke=H(()=>{"use strict";_();on="headwater.v1+json";Me=({t,id:e})=>/^(end|drain)$/.
test(t)||t==="err"&&e!==void 0,Qe=({why:t})=>t==="closed"||t==="failed",ar=({o:t="",e=[]})=>[...e.map(r=>t.slice(0,t.length-
r.length)+r),t]});async function*go(t,e,r,n){let{from:o,last:s,slow:i,missing:a,envelope:d,buffer:p=65536,signal:u}=r;r.sent();let f={from:o===
"start"?"-1":o,last:s,slow:i,missing:a==="wait"?a:void 0,envelope:d||void 0,window:p},c=[],y=0,l,x="",O,h,b,T=new Promise(
(P,W)=>b=W);T.catch(()=>{});let k=()=>N(e.parts.connectionRest),g=P=>w.reached===void 0?!1:((y>p*2||P>w.reached)&&(w.isBehind=
!0),!w.isBehind),w={wish:f,who:n,reached:void 0,last:void 0,isBehind:!1,end:void 0,get mark(){return w.isBehind?void 0:l},
put(P,W="",M=0,K=w.reached){c.push({told:P,text:W,mark:M}),w.reached=K,y+=W.length},counts:()=>l=t.got,letGo:()=>w.isBehind=
!0,lost(P){b(O??=P),h?.()},told(P,W,M,K){let{t:B,why:me,o:Q=""}=P;if(B==="sub"){let{from:V=""}=P;x=P.type??"",w.reached!==
void 0?g(V):(w.put(P),w.reached=K||f.from==="now"?V:f.from,K||(w.last=f.last),w.isBehind=w.last!==void 0||w.reached!==V,
w.counts())}else if(B==="waiting"&&!f.missing)w.reached??=f.from,w.isBehind=!0;else if(B==="data")g(M)&&w.put(P,W,t.got,
Q);else if(B==="gap"){let{to:V="",o:ne=V}=P;me==="slow"&&(f.slow??"replay")==="replay"?g(ne):g(M)&&w.put({from:M,...P},"",
0,ne)}else Me(P)?(w.end??=P,Qe(P)&&g(Q)):/^(live|waiting)$/.test(B)&&!w.isBehind&&w.put(P);h?.()}},R=async({told:P,text:W})=>{
let{t:M,o:K}=P;if(M==="sub")return{kind:"open",type:x};if(M==="live")return{kind:"up-to-date",offset:K};let B=M==="data"&&
G(x)==="json"&&sn(P,W);return B?{kind:"records",records:B,offset:K,upToDate:!1}:(await k()).wireOf(w,r,P,W,G(x))},C=z(u,
w.lost),I=t.wish&&await k();u.aborted||t.attach(w,I);try{for(;;){let P=c[0];if(P)yield await R(P),c.shift(),y-=P.text.length,
P.mark&&(l=P.mark,t.settle());else if(w.end&&!(Qe(w.end)&&w.isBehind))yield await R({told:w.end,text:""});else{if(O)throw O;
w.isBehind?await Promise.race([k().then(W=>W.catchUp(w,t,e,r)),T]):(t.starve(),await new Promise(W=>h=W))}}}finally{C(),
t.detach(w)}}var dn,fn=H(()=>{"use strict";te();re();ye();ke();dn=(t,e)=>{let r={name:"websocket",open:n=>go(t(),e,n,r)};
return r}});function cn(t,e){let{environment:r,retry:n,signal:o,parts:s}=e,i,a=$e(r,n,o,async()=>u.of(await N(s.connectionRest))),d=()=>[],
p=f=>{if(i)return f(i);let c,y=a().then(x=>c=f(x)),l=x=>c?x(c):void y.then(x,d);return{get members(){return c?.members??
[]},get count(){return c?.count??0},set:x=>l(O=>O.set(x)),leave:()=>l(x=>x.leave()),async*[Symbol.asyncIterator](){yield*await y.
catch(d)}}},u={of:({Live:f})=>i??=new f(t,e),door:{signal:(...f)=>{a().then(c=>c.signal(...f),d)},signals:()=>p(f=>f.signals()),
presence:f=>p(c=>c.presence(f))}};return u}function kt(t,e){return{get url(){return new URL(t.split("/").map(encodeURIComponent).
join("/"),e.root).href},live:e.of(t).live.door,transports:r=>r.map(n=>{if(n==="auto"||n==="websocket")return dn(()=>e.of(
t).feed,e);throw new S("unsupported",`a connection does not read by ${String(n)}`)}),async writes(){return(await N(e.parts.
connectionWrites)).connectionWrites(t,this.url,e)}}}var ln,dr=H(()=>{"use strict";_();te();ge();fn();ln=t=>new URL(Oe(t).
href.replace(/^ws/,"http").replace(/[?#].*/,"").replace(/(\/-\/connect|\/)?$/,"/"))});function un(t,e){let{retry:r,environment:n}=e,o=new Set,s=[],i=0,a=new AbortController,d=0,p,u,f,c=()=>{p?.(),u?.(),p=u=
void 0},y=b=>{f?.(),h.line?.leave(h),i+=1,h.wish=b,h.line=h.waiting=h.opened=void 0,h.isLive=!1,d=h.got,s.length=0},l=()=>{
let b=[...o];return c(),y(),o.clear(),b},x=b=>{c(),d=b;let T;for(;s[0]&&s[0][0]<=b;)T=s.shift()?.[1];T&&h.opened&&h.line?.
say({t:"ack",s:h.opened.s,o:T})},O=async(b,T,k)=>{try{let g=await e.line(k,a.signal);if(T!==i)return;h.line=g,f=n.timer(
r.connect,()=>{g.close(new S("silent",`nothing came in ${r.connect} ms`))}),g.follow(h,b.last===void 0?b:{...b,from:void 0})}catch(g){
T===i&&h.lost(g)}},h={path:t,position:"",opened:void 0,waiting:void 0,isLive:!1,wasLive:!1,got:0,line:void 0,wish:void 0,
attach(b,T){o.add(b),h.wish?T?.join(h,b):h.subscribe(b.wish,b.who)},detach(b){if(o.delete(b)){if(o.size)return h.settle();
l(),a.abort(se("nobody reads it")),a=new AbortController}},settle(){let b=h.got;for(let{mark:T=1/0}of o)b=Math.min(b,T);
b!==d&&(c(),(b-d)*2>=h.wish.window?x(b):p=n.timer(1e3,()=>x(b)))},starve(){o.size<2||h.got-d<h.wish.window||(u??=n.timer(
1e3,()=>{u=void 0;for(let{mark:b=1/0,letGo:T}of o)b<h.got&&T?.();h.settle()}))},told(b,T){let{t:k,o:g}=b;if(!h.opened&&/^(data|live|gap)$/.
test(k))return;f?.();let w=h.position,R;k==="sub"?(h.opened=b,h.position=b.from??"",h.wish&&!h.line?.isFar&&(R=je(h.wish))):
k==="waiting"?h.waiting=b:k==="live"?h.isLive=!0:k==="gap"?h.position=g??b.to??w:k==="data"&&(h.position=g??w,s.push([h.
got+=T.length,h.position]));let C=Me(b)?l():[...o];for(let I of C)I.told(b,T,w,je(I.wish)===R);k==="data"&&h.settle()},lost(b){
let T=h.wish;if(b.facts.moved)h.subscribe(h.opened?{...T,from:h.position,last:void 0}:T);else for(let k of l())k.lost(b)},
subscribe(b,T){h.wasLive=(h.isLive||h.wasLive)&&b.from===h.position,y(b),O(b,i,T)}};return h}var je,fr=H(()=>{"use stric\
t";_();ke();je=({from:t,last:e})=>e===void 0?t:`last ${e}`});var bn={};We(bn,{connectionWrites:()=>bo});function yn(t){let e={};for(let[r,n]of Object.entries(t))if(n!==void 0)if(r===
"stream-closed")e.closed=n;else if(hn[r])e[hn[r]]=n;else throw new S("unsupported",`a connection has no ${r}: use stream\
(url)`);return e}function wn(t,e){if(!t)return[{}];let r=G(e??"application/octet-stream");return r==="json"?[{},Ae(t)]:r===
"text"?[{r:[Ae(t)]}]:[{b:[xr(t)]}]}function bo(t,e,r){let n=async(o,s,i,a)=>(await r.line(void 0,i)).ask({t:o,path:t,...s},
a);return{async write({body:o,producer:s,close:i,fail:a,create:d,type:p},u){let f,c=i&&!a||void 0;if(o||d){let[y,l]=wn(o,
p),x=d&&(Object.keys(d).length?yn(d):!0);f=await n("append",{p:s,type:p,create:x,close:c,...y},u,l)}else c&&(f=await n("\
close",{p:s},u));return a&&(f=await n("fail",{...a,message:a.message??""},u)),{offset:f?.o??""}},async create(o,s,i){let a=String(
o["content-type"]??""),[d,p]=wn(s,a),u=await n("create",{...yn(o),...d},i,p);return gn({...u,type:a,tail:u.o??""})},async head(o){
try{return gn(await n("head",{},o))}catch(s){if(s.status===404)return null;throw s}},delete:async o=>{await n("delete",{},
o)},sibling(o){let s=new URL(o,e),{href:i,pathname:a}=r.root;if(!s.href.startsWith(i))throw new S("unsupported",`${s.href}\
 is not on this connection`);return kt(decodeURIComponent(s.pathname.slice(a.length)),r)}}}function gn({type:t="",tail:e="",
earliest:r,closed:n,code:o,message:s="",ttl:i,expires_at:a,retention:d,slow:p}){let u=f=>f?String(f):void 0;return{type:t,
offset:e,earliest:u(r),closed:n===!0,failure:o?{code:o,message:s}:void 0,ttl:typeof i=="number"?i:void 0,expiresAt:a?new Date(
a):void 0,retention:u(d),slow:u(p),etag:void 0}}var hn,vn=H(()=>{"use strict";_();re();dr();hn={"content-type":"type","s\
tream-ttl":"ttl","stream-expires-at":"expires_at","stream-retention":"retention","stream-slow":"slow"}});var Ve,vo,Pt,xn=H(()=>{"use strict";_();Te();ve();ye();St();Ve=class{#e=[];#n;#o;#t=!1;#r;constructor(e,r){this.#n=e,this.#r=
r}put(e){this.#e.push(e),this.#e.length>this.#n&&this.#e.shift(),this.#o?.()}end(){this.#t=!0,this.#o?.()}async*[Symbol.
asyncIterator](){try{for(;;){for(;!this.#e.length&&!this.#t;)await new Promise(e=>this.#o=e);if(!this.#e.length)return;yield this.#e.
shift()}}finally{this.#r()}}},vo=({from:t,to:e,topic:r,by:n,data:o})=>({from:t,to:e,topic:r,data:o,...n&&{by:n}}),Pt=class{path;wish={
from:"now",missing:"wait",window:65536,signals:!0,presence:!0};who=this;mark;others=()=>!1;#e;#n;#o;#t=new Set;#r=new Set;#s=new Map;#a=0;#i=!0;#f;#c=!1;#d;#u;constructor(e,r){
this.path=e,this.#e=r,this.#n=r.environment,this.#o=r.retry,z(r.signal,()=>this.#m())}#l(){return this.#e.of(this.path).
feed}signal(e,r={}){let n={t:"signal",path:this.path,data:e,...r};this.#e.line(void 0).then(o=>o.say(n),()=>{})}signals(){
let e=new Ve(1e3,()=>this.#h(this.#t,e));return this.#y(this.#t,e)}presence(e){let r=new Ve(1,()=>this.#h(this.#r,r));this.#y(
this.#r,r),e!==void 0&&this.#w(e);let n=this;return{get members(){return[...n.#s.values()]},get count(){return n.#a},set:o=>this.#w(
o),leave:()=>{this.#f=void 0,this.others()||this.#l().line?.say({t:"here",path:this.path,state:null}),this.#h(this.#r,r),
r.end()},[Symbol.asyncIterator]:()=>r[Symbol.asyncIterator]()}}hold(){let e=this.#y(this.#r,new Ve(1,()=>{}));return()=>this.#h(
this.#r,e)}get roster(){return{t:"presence",count:this.#a,members:this.#i?[...this.#s.values()]:null}}get isMember(){return this.#f!==
void 0}#m(){for(let e of[...this.#t,...this.#r])e.end();this.#t.clear(),this.#r.clear(),this.#p(),this.#f=void 0,this.#u?.
abort()}#y(e,r){return e.add(r),this.#e.signal.aborted?this.#m():this.#u||(this.#u=new AbortController,this.#k(this.#u.signal)),
r}#h(e,r){e.delete(r),!(this.#t.size||this.#r.size)&&(this.#p(),this.#u?.abort(),this.#u=void 0,this.#d?.(se("nobody lis\
tens")))}#p(){this.#s.clear(),this.#a=0,this.#i=!0}#w(e){this.#f={...this.#f,state:e},this.#c&&this.#g()}async#g(){if(this.#f)
try{let e=await this.#l().line?.ask({t:"here",path:this.path,...this.#f});e&&this.#f&&(this.#f={...this.#f,key:e.key,member:e.
member})}catch{}}async#k(e){let r=fe(this.#o,this.#n);for(;!e.aborted;){let n=this.#n.now();r.begin();let o=await this.#P(
e);if(e.aborted||!o.retryable)return;let s=this.#n.now()-n,i=r.end({up:s,heard:s>0,hint:o.retryAfter,personal:!0});if(i===
null)return;await de(this.#n,r,i,e,void 0,!0)}}async#P(e){let r=this.#l();try{return await new Promise(n=>{this.#d=n,e.addEventListener(
"abort",()=>n(e.reason),{once:!0}),r.attach(this,Le)})}finally{r.detach(this),this.#d=void 0,this.#c=!1}}told(e){switch(e.
t){case"sub":return this.#c=!0,void this.#g();case"signal":for(let r of this.#t)r.put(vo(e));return;case"presence":return this.#x(
e);case"drain":return this.#d?.(new S("network","the server stops",{retryAfter:(e.after??0)*1e3}));case"err":return e.id===
void 0?void 0:this.#d?.(Et(e));case"end":return this.#d?.(new S("network",`not read any more: ${String(e.why)}`,{retryable:e.
why==="detached"||e.why==="deleted"}))}}lost(e){this.#d?.(e)}#x(e){e.members!==void 0&&(this.#i=e.members!==null,this.#s.
clear());let r=[e.members,e.joined,e.changed].flatMap(o=>o??[]);for(let o of r)this.#s.set(o.id,o);for(let o of e.left??
[])this.#s.delete(o);let n=[...this.#s.values()];this.#a=e.count??n.length;for(let o of this.#r)o.put(n)}}});var Le={};We(Le,{Live:()=>Pt,catchUp:()=>To,errorOf:()=>Et,greet:()=>Tt,join:()=>Eo,recordsOf:()=>On,refused:()=>xo,whyNot:()=>Ro,
wireOf:()=>Po});function On(t,e,r,n){let o=ar(t),{at:s,by:i,b:a,r:d=[]}=t,p=c=>({offset:o[c]??"",...s&&{known:{at:s[c],by:i?.[c]??
void 0}}}),u=c=>r==="bytes"?we(c):Ae(we(c));if(a)return a.map((c,y)=>Object.assign(De(u(c),"",n),p(y)));if(r==="text")return d.
map((c,y)=>({raw:c,...p(y)}));let f=Ie(e.slice(e.indexOf('"r":[')+4,s?e.lastIndexOf(',"at":['):e.lastIndexOf("]")+1));return d.
map((c,y)=>({value:c,raw:f[y]?.raw??"",...p(y)}))}function Et(t){let{status:e=500,after:r,facts:n,code:o="internal",message:s,
advice:i}=t,a=t.detail??s;return new S(o,String(a),{status:e,retryable:Xe(e),retryAfter:r===void 0?void 0:r*1e3,offset:n?.
next_offset,facts:{...n,code:o,detail:a,advice:i}})}function xo(t,e,{environment:r,retry:n,access:o}){let s=t-4e3,i=new S(
/^[a-z][a-z-]*/.exec(e)?.[0]??"refused",e||`the server closed the connection: ${t}`,{status:s,retryable:!/^(40[013-6]|41[05])$/.
test(String(s)),facts:{close:t}}),a=r.now();return s!==401||!o.isFresh||a-o.refusedAt<n.stable?i:(o.refusedAt=a,new S("n\
etwork","access has ended; another token will be shown",{cause:i}))}function ko({why:t="",o:e="",code:r="",message:n="",
after:o}){if(t==="closed")return{kind:"stream-closed",offset:e};if(t==="failed")return{kind:"stream-failed",offset:e,code:r,
message:n};if(t==="detached")return{kind:"stream-detached",retry_after:o??0,reason:t};if(t==="left")return{kind:"stream-\
detached",reason:t};let[s,i,a]=Oo[t]??[500,"internal",""],d=s===404;return{kind:"stream-error",data:{status:s,code:!d&&r||
i,detail:!d&&n||a}}}async function Po(t,{codec:e},r,n,o){let{t:s,from:i="",to:a="",o:d=a,why:p,after:u=0,live:f}=r;return s===
"waiting"?{kind:"stream-waiting"}:s==="gap"?{kind:"stream-gap",from:i,to:a,offset:d,reason:p}:s==="drain"?{kind:"stream-\
detached",retry_after:u,reason:"stopping"}:s==="err"?{kind:"stream-error",data:Et(r)}:s==="end"?ko(r):(t.codec??=await ce(
e),{kind:"records",records:On(r,n,o,t.codec),offset:d,upToDate:f===!0})}function Tt({opened:t,waiting:e,position:r,isLive:n},o){
t?(o.told({...t,from:r},"",r,o.wish.from==="now"),n&&o.told({t:"live",o:r},"",r,!1)):e&&o.told(e,"",r,!1)}function Eo(t,e){
let r=t.wish,{wish:n}=e,o=r.presence||n.presence,s=r.envelope||n.envelope,a=!(t.isLive||t.wasLive||je(r)==="now")&&je(n)!==
je(r)&&n.from!==t.position;if(a||o!==r.presence||s!==r.envelope){let d=a||!t.opened?"now":t.position;t.subscribe({...r,from:d,
last:void 0,signals:o,presence:o,envelope:s,missing:r.missing??n.missing})}else Tt(t,e)}function So(t,e,r){let n,o=new Promise(
(s,i)=>{n=t.timer(e,()=>i(new S("silent",`nothing came in ${e} ms`)))});return Promise.race([r,o]).finally(()=>n?.())}async function To(t,e,r,n){
let{wish:o,last:s}=t,i=t.reached,a=l=>{let x=t.end&&Qe(t.end)?t.end.o??"":e.opened&&e.position;t.isBehind=x?t.reached<x:
!l,t.counts()},d=e.position;if(o.slow==="latest"&&s===void 0&&e.opened&&i<d)return t.put({t:"gap",from:i,to:d,why:"slow"},
"",0,d),a(!0);let u=await(async()=>{let{window:l,envelope:x}=o,O=await r.line(void 0,n.signal),h={t:"read",path:e.path,bytes:l,
envelope:x,...s===void 0?{from:i}:{last:s}};return So(n.environment,n.retry.connect,O.ask(h))})(),{o:f=i,live:c,text:y}=u;
if(t.last=void 0,u.r?.length||u.b?.length)t.put(u,y,0,f);else{if(!c&&f<=i)throw new S("bad-answer","a page has nothing, \
and is not the last one");t.reached=f,c&&t.put({t:"live",o:f})}u.closed&&(t.end??={...u,t:"end",why:u.code?"failed":"clo\
sed"}),a(c===!0)}async function Ro(t,e,{environment:r,retry:n,parts:o},s){let{response:i,release:a}=await it(e?{fetch:e}:
{},r).send({url:t,limit:n.connect}),d=i.status===426?s:await bt(o)(i);return a(),d}var Oo,St=H(()=>{"use strict";xe();ft();
_();te();re();ge();fr();ke();xn();Oo={deleted:[404,"stream-not-found","the stream was deleted"],forbidden:[403,"refused",
"it may not be read any more"]}});var kn={};We(kn,{Leader:()=>lr});var cr,lr,Pn=H(()=>{"use strict";ke();St();_();cr=class{wish;mark;tabs;who;#e;#n;#o;#t;constructor(e,r,n,o,s){
this.wish={from:"now",missing:"wait",window:65536,...r},this.tabs=n,this.who=[...n].join(),this.#e=e,this.#n=e.path,this.#o=
o,this.#t=s}told(e,r){this.#o({t:"told",path:this.#n,text:r||JSON.stringify(e)}),e.t==="data"&&this.#e.starve(),Me(e)&&this.#t(
this)}lost(e){this.#t(this),e.facts.moved||this.#o({t:"lost",path:this.#n,error:Wt(e)})}},lr=class{#e;#n;#o=!1;#t=new Map;#r=new Map;#s=new Map;#a=new Set;#i;constructor(e,r,n){
this.#e=e,this.#n=o=>this.#o||r(o),this.#i=n}hear(e){let{tab:r}=e;switch(this.#a.has(r)||(this.#a.add(r),this.#i(r,()=>this.#w(
r))),e.t){case"ask":return void this.#f(e);case"say":return void this.#c(r,JSON.parse(e.text));case"follow":return this.#y(
e);case"leave":return this.#h(r,e.path);default:this.#e.self.reconnect()}}end(){this.#o=!0;for(let e of[...this.#t.values()])
this.#p(e)}async#f({tab:e,n:r,text:n,raw:o}){try{let s=JSON.parse(n),i=await this.#e.line(void 0);if(this.#o)return;this.#n(
{t:"answer",tab:e,n:r,told:await i.ask(s.t==="here"?this.#u(e,s):s,o)})}catch(s){this.#n({t:"answer",tab:e,n:r,error:Wt(
s)})}}async#c(e,r){(r.t!=="here"||this.#m(e,r.path))&&await this.#d(r)}async#d(e){let r=await this.#e.line(void 0).catch(
()=>{});this.#o||r?.say(e)}#u(e,r){let n=r.path,o=this.#l(n),s=this.#s.get(n)??new Set,{key:i,member:a,...d}=r,p=s.size>
0||o.isMember;return this.#s.set(n,s.add(e)),o.others=()=>s.size>0,p?d:r}#l(e){return this.#e.of(e).live.of(Le)}#m(e,r){
let n=this.#s.get(r);return n?.delete(e)===!0&&!n.size&&!this.#l(r).isMember}#y({tab:e,path:r,live:n,envelope:o=!1}){let s=this.#e.
of(r).feed,i=this.#t.get(r);if(i&&(i.wish.presence||!n)&&(i.wish.envelope||!o))i.tabs.add(e),Tt(s,i);else{let d=(i?.tabs??
new Set).add(e),p=i?.wish.presence??(n||void 0),u={signals:p,presence:p,envelope:i?.wish.envelope??(o||void 0)},f=new cr(
s,u,d,this.#n,c=>this.#p(c,r));this.#t.set(r,f),n&&!this.#r.has(r)&&this.#r.set(r,this.#l(r).hold()),s.attach(f,Le),i&&s.
detach(i)}if(!n)return;let{roster:a}=this.#l(r);a.count&&this.#n({t:"told",path:r,text:JSON.stringify(a)})}#h(e,r){let n=this.#t.
get(r);n?.tabs.delete(e),n&&!n.tabs.size&&this.#p(n,r)}#p(e,r=[...this.#t].find(([,n])=>n===e)?.[0]){r===void 0||this.#t.
get(r)!==e||(this.#t.delete(r),this.#e.of(r).feed.detach(e),this.#r.get(r)?.(),this.#r.delete(r))}#w(e){this.#a.delete(e);
for(let r of[...this.#t.keys()])this.#h(e,r);for(let r of this.#s.keys())this.#m(e,r)&&this.#d({t:"here",path:r,state:null})}}});var Lt=globalThis;function Cn(t,e){let r,n=o=>{r=setTimeout(()=>o>2147483647?n(o-2147483647):e(),Math.min(o,2147483647))};
return n(t),()=>clearTimeout(r)}var yr=()=>Lt.document?.visibilityState==="hidden",Ln=["online","offline","pagehide","pa\
geshow","freeze","resume","visibilitychange"];function Wn(t){let e=({type:n,persisted:o})=>{n==="visibilitychange"?t(yr()?
"hidden":"visible"):/^page/.test(n)?o&&t(n==="pagehide"?"freeze":"resume"):t(n)},r=n=>Ln.forEach(o=>Lt[n]?.(o,e,!0));return r(
"addEventListener"),()=>r("removeEventListener")}var ze={now:()=>Date.now(),timer:Cn,random:Math.random,online:()=>Lt.navigator?.
onLine!==!1,hidden:yr,watch:Wn};_();jt();te();et();function tn(t,e={}){let{id:r=Fe()}=e,n,o=0,s=t({...e,id:r});s.then(d=>n=d,()=>{});let i=(d,p=0)=>(...u)=>(o+=p,s.then(
f=>f[d](...u))),a={id:r,get pending(){return n?n.pending:o},append:i("append",1),write:i("write",1),flush:i("flush"),close:i(
"close"),fail:i("fail"),writable:()=>new WritableStream({write:a.write,close:async()=>{await a.close()},abort:async d=>{
await a.fail("aborted",d&&String(d))}}),[Symbol.asyncDispose]:i(Symbol.asyncDispose)};return a}_();function vt(){let t={};return{all:t,emit(e,r){for(let n of t[e]??[])n(r)},on(e,r){let n=t[e]??=new Set;return n.add(r),()=>n.
delete(r)}}}te();Te();re();ve();ye();tr();var or=t=>!/^(start|now|-1)$/.test(t);function rn(t,e){let{door:r,retry:n,environment:o}=t,{live:s=!0,
gone:i="throw",missing:a,checkpoint:d,transport:p=t.transport}=e,u=[].concat(p),f=fe(n,o),{emit:c,on:y}=vt(),l=e.from??"\
start",x,O,h=new AbortController,b,T,k,g,w=d,R=!1,C=!1,I=[],P=0,W,M,K,B,me=Promise.resolve(),Q=()=>new Promise(E=>k=E);async function*V(E,L){
try{for(;;){let F=me.then(()=>Pe(E));me=F.catch(()=>{});let m=await F;if(!m)return;for(let v of L(m))yield v}}finally{await Z()}}
let ne=E=>{let L=$[Symbol.asyncIterator]();return new ReadableStream({async pull(F){let m=await L.next();m.done?F.close():
F.enqueue(E(m.value))},cancel:()=>Z()},{highWaterMark:0})},Pe=async E=>{B!==void 0&&T?.kind!=="stopped"&&($.offset=B,B=void 0,
await d?.save($.offset));let L=!1,F;if(!I[P]){let v=await be();if(!v)return;W=$.offset,{records:I,offset:M,upToDate:L,gap:F}=
v,P=0,K=G(t.type)}let m=[];for(let v=I[P];v&&m.length<E;v=I[P]){let{raw:A,offset:U=I[P+1]?W:M}=v;try{let D=t.decode(A,typeof A==
"string"?K:"bytes",v);m.push({data:D instanceof Promise?await D:D,offset:U,raw:A,...v.known}),B=U,P+=1}catch(D){if(m.length){
L=!1;break}P+=1;let ae=await N(t.parts.rest).then(({badRecord:pe})=>pe(D,A,U),pe=>pe);throw await Z("error",ae),ae}}return B??=
l,{records:m,offset:B,upToDate:L,gap:F}},be=async()=>{let E=T?void 0:(await(b??=J()).next()).value;if(!E&&T?.error)throw T.
error;return E},X=E=>{E!==$.state&&c("state",$.state=E)},ie=(E,L,F,m)=>{T||(T={kind:E,offset:L,...F&&{code:F.code,error:F},
...m},$.lastError=F??$.lastError,$.transport=null,X("ended"),k(T))},Z=async(E="stopped",L)=>{if(T)return;ie(E,$.offset,L),
h.abort();let F=b;b=void 0,await F?.return()};async function*J(){let E=[t.signal,e.signal].map(L=>z(L,$.close));try{let L=await w?.
load();for(w=void 0,L&&(l=$.offset=L);!T;)yield*q()}finally{for(let L of E)L()}}async function*q(){let E=l,L,F=!1,m={};h=
new AbortController,C=!1,g&&(yield g),g=void 0;try{X("connecting");for await(let A of await j()){A.kind==="open"?L=o.now():
A.kind!=="quiet"&&(F=!0);let D=(A.kind==="stream-error"||A.kind==="stream-failed")&&(await N(t.parts.rest)).told(A);if(A.
kind==="stream-error")throw D;if(A.kind==="stream-detached"){let pe=Number(A.retry_after)*1e3;m={hint:pe,personal:!0,planned:!pe};
break}let ae=T?void 0:le(A);if(D&&ie("failed",l,D,D.facts),ae&&(yield ae),R&&ie("up-to-date",l),T)break}}catch(A){if(!(A instanceof
S))throw A;T||(m=await ue(A,L,E))}finally{h.abort(),$.transport=null}let v=o.now();T||await Ye(C?f.woken():f.end({up:v-(L??
v),heard:F,...m}))}let j=async()=>{let E=o.now();x??=r.transports(u,t.type,s,e.envelope),!O&&x[1]&&gt(r)>E&&await ee();let[
L,F]=O?.current(E)??x;return $.transport=L.name,L.open({...t,...e,live:s,from:l,last:or(l)?void 0:e.last,first:F?3e3:void 0,
signal:h.signal,sent:f.begin})},ee=async()=>O??=(await N(t.parts.rest)).choiceOf(r,u,s,x,o.now()),Ee=async(E,L,F)=>{let{
code:m}=E;return m!=="network"&&(m!=="truncated"||!F&&L<1e3)?ee().then(v=>v.after(E,o.now()),()=>!0):(O?.settle(),!0)},Se=()=>{
X("live"),R=!s},oe=(E,L=!1)=>({records:E,offset:l,upToDate:L}),Y=E=>(c("gap",E),{...oe([]),gap:E}),le=E=>{let{kind:L,type:F,
offset:m}=E,v=or(l);t.type||=F;let A=D=>!v||(D.offset??m)>l,U=E.kind==="records"?E.records.filter(A):[];switch(m&&m!==l&&
!(v&&m<l)&&(l=m,(v||L!=="up-to-date")&&f.progress()),E.kind){case"open":case"stream-created":return X("catching-up");case"\
stream-waiting":return X("absent");case"records":return E.upToDate&&Se(),U.length?oe(U,E.upToDate):void 0;case"up-to-dat\
e":return Se(),oe([],!0);case"stream-gap":return Y({from:E.from,to:E.to,reason:E.reason});case"stream-signal":case"strea\
m-presence":return c("notice",{name:L.slice(7),data:E.data});case"stream-closed":return ie("closed",l);default:$.state===
"catching-up"&&v&&X("live")}},ue=async(E,L,F)=>{let m=o.now(),{code:v,retryAfter:A}=E,U=v==="stream-not-found";if($.lastError=
E,v==="stopped")ie("stopped",$.offset);else if(v==="offset-gone"&&i!=="throw"){let D=l;l=i==="now"?i:String(E.facts.earliest??
"start"),g=Y({from:D,to:l,reason:"gone"})}else{if(v==="stream-awaited")return{planned:!0};if(U&&a==="wait")X("absent");else{
if(U&&m-t.created<1e4)return{hint:A};if(E.retryable&&await Ee(E,m-(L??m),l!==F))c("error",E);else{let D=L!==void 0||or(l);
ie((U||v==="stream-gone")&&D?"deleted":"error",$.offset,E)}}}return{hint:A}},Ye=async E=>{if(E===null){ie("error",$.offset,
$.lastError??new S("truncated","it was cut"));return}let L=!o.online(),F=E;o.hidden()&&f.count&&(F=Math.max(F,o.random()*
n.cap)),L&&(F=Math.max(F,n.cap)),$.state!=="absent"&&F&&X(L?"offline":"waiting"),h=new AbortController,await de(o,f,F,h.
signal,(m,v)=>{$.retryAt=m,v==="offline"&&X(v)}),$.retryAt=null},$={state:"idle",offset:l,transport:null,get attempt(){return f.
count},retryAt:null,lastError:null,end:Q(),on:y,[Symbol.asyncIterator]:()=>V(1,({records:E})=>E),batches:()=>V(1/0,E=>[E]),
readable:()=>ne(({data:E})=>E),bytes:()=>ne(({raw:E})=>typeof E=="string"?Re(K==="json"?`${E}
`:E):E),skip(){T?.code==="bad-record"&&(T=void 0,$.end=Q(),X("idle"))},reconnect(){f.woken(),C=!0,h.abort(new S("network",
"reconnect"))},close:()=>{Z()},[Symbol.asyncDispose]:()=>Z()};return $}re();ge();ve();function sr(t){if(t instanceof Promise)return t.then(sr);if(t.issues)throw t;return t.value}ye();var ir=()=>{throw new S("unsupported","needs headwater/connection")};function xt(t,e,r=-1/0){let{environment:n=ze,decode:o,
schema:s,transport:i="auto",signal:a,parts:d=Je}=e,p=He(e.retry),u={...e,door:t,retry:p,environment:n,transport:i,parts:d,
created:r,another:l=>xt(l,e,n.now()),decode:(l,x,O)=>{let h=o?o(l):"value"in O?O.value:Or(l,x);return s?sr(s["~standard"].
validate(h)):h}},f=$e(n,p,a,async()=>(await N(d.writing)).writerOf(u,await t.writes())),c=(l,x)=>(...O)=>new Promise((h,b)=>{
let T=z(O[x]?.signal,b),k=g=>g[l](...O);f().finally(T).then(k).then(h,b)}),y={get url(){return t.url},get type(){return u.
type},[Symbol.asyncIterator]:()=>y.read()[Symbol.asyncIterator](),read:(l={})=>rn(u,l),async all(l){let x=[];for await(let{
data:O}of y.read({...l,live:!1}))x.push(O);return x},append:c("append",1),producer:l=>tn(x=>f().then(O=>O.producer(x)),l),
create:c("create",0),head:c("head",0),close:c("close"),fail:c("fail"),fork:c("fork",2),delete:c("delete",0),...t.live??{
signal:ir,signals:ir,presence:ir},sink:()=>u};return y}function nn(t,e={}){let{environment:r=ze,parts:n=Je}=e;return xt(
dt(t,{...it(e,r),problem:bt(n)},n),e)}dr();fr();ke();_();te();ye();ke();function pn(t,e,r,n,o){let{environment:s,retry:i,parts:a}=n,d=new Map,p=0,u=!1,f=0,c,y=()=>s.now()-f,l=()=>k.close(
new S("silent",`nothing came in ${y()} ms`)),x=g=>{if(k.ended)return;k.ended=g,k.isUsable=!1,c?.();let w=[...d.values()];
d.clear(),o.told(k);for(let R of w)R.lost(g)},O=()=>(o.stale(),!k.ended),h=(g,w,R)=>{if(!O())return g.lost(k.ended);let C=++p;
d.set(~C,g);let I=JSON.stringify({id:C,...w});t.send(R===void 0?I:`${I.slice(0,-1)},"r":${R}}`)},b=()=>{let{silence:g}=i,
w=k.heartbeat||g/2.5,R=g||w*2.5,C=I=>{c?.(),c=s.timer(I,()=>{let P=R-y();if(P<=0)return l();y()>=w&&k.say({t:"ping"}),C(
Math.min(w,P))})};f=s.now(),w&&!k.ended&&C(w)},T=(g,w)=>{let{t:R,id:C=R==="welcome"?0:void 0,s:I}=g;if(R==="ping")return k.
say({t:"pong"});if(R==="expiring")return o.expiring(k);if((R==="drain"||g.why==="detached"&&g.code==="stopping")&&(k.isUsable=
!1,o.told(k)),R==="drain"){for(let M of[...d.values()])M.path!==void 0&&M.told(g,w);return}let P=C===void 0?I:~C,W=d.get(
P);(R==="end"||C!==void 0&&R!=="waiting")&&d.delete(P),R==="sub"&&W&&d.set(I,W),W?.told(g,w)},k={heartbeat:0,ended:void 0,
isUsable:!0,say(g){O()&&t.readyState===1&&t.send(JSON.stringify(g))},ask:(g,w)=>new Promise((R,C)=>{h({told:(P,W)=>{P.t===
"err"?N(a.connectionRest).then(({errorOf:M})=>C(M(P)),C):R(Object.assign(P,{text:W}))},lost:C},g,w)}),follow:(g,w)=>h(g,
{t:"sub",path:g.path,...w}),leave(g){for(let[w,R]of d)R===g&&d.delete(w)&&k.say({t:"unsub",path:g.path})},close(g){x(g),
t.close(1e3)},doubt(){k.heartbeat&&y()>k.heartbeat*1.2&&l()}};return new Promise((g,w)=>{let{connect:R}=i,C=[s.timer(R,()=>k.
close(new S("connect-timeout",`nothing came in ${R} ms`)))],I=()=>{for(let P of C)P()};d.set(-1,{told({heartbeat:P=0}){I(),
k.heartbeat=P*1e3,b(),o.told(k),g(k)},lost(P){I(),w(P)}}),t.onopen=()=>{u=!0,b(),t.send(JSON.stringify({t:"hello",...e}))},
t.onmessage=({data:P})=>{if(O()){f=s.now(),o.beat();try{T(Ot(P),P)}catch(W){k.close(W)}}},t.onclose=({code:P,reason:W})=>{
k.isUsable=!1,P>4399&&P<4500?N(a.connectionRest).then(({refused:M})=>x(M(P,W,n)),x):x(new S("network",`${P} ${W}`,{facts:{
close:P,opened:u}}))},t.onerror=()=>{},C.push(z(r,k.close))})}function mn(t,e){let r=new Set,n={...t,isSkipped:!1,get next(){return r.size?Math.min(...Array.from(r,({at:o})=>o)):null},
end:()=>{for(let{end:o}of[...r])o()},timer(o,s,i){if(i!=="pause")return t.timer(o,s);let a=n.isSkipped?0:o,d=()=>{u(),r.
delete(p),e()},p={at:t.now()+a,end:()=>(d(),s())},u=t.timer(a,p.end,i);return r.add(p),e(),d}};return n}_();te();Te();ve();ye();var Ao={...Je,connectionWrites:()=>Promise.resolve().then(()=>(vn(),bn)),connectionRest:()=>Promise.resolve().then(()=>(St(),Le)),
connectionLeader:()=>Promise.resolve().then(()=>(Pn(),kn))};function Co(t,e={}){let{parts:r=Ao,token:n,name:o,share:s,fetch:i,
socket:a=(q,j)=>new WebSocket(q,j)}=e,d=mn(e.environment??ze,()=>Q()),p=He(e.retry),u=fe(p,d),{all:f,emit:c,on:y}=vt(),l=new AbortController,
x=new Map,O=new Set,h=typeof n=="function",b,T=new AbortController,k=-1/0,g,w=0,R=null,C,I=!1,P="idle",W="alone",M,K,B,me=!1,
Q=()=>{K?.(),!B&&(J.role!==W&&c("role",W=J.role),J.state==="idle"?K=d.timer(0,V):V())},V=()=>{J.state!==P&&(P=J.state,C?.
changed(),c("state",P))},ne=q=>{T.abort(q),T=new AbortController;for(let j of O)j.close(q)},Pe=async()=>{if(me)return;me=
!0,J.close();let q=await Promise.allSettled(Array.from(f["sign-out"]??[],async j=>j(void 0)));for(let j of q)if(j.status===
"rejected")throw j.reason},be=()=>(I||(I=!0,C=s?.(Z)),C),X=async q=>{for(;;){if(B)throw B;for(let ee of O)if(ee.isUsable)
return ee;let{ended:j}=await(b??=ie(q).finally(()=>(b=void 0,Q())));if(j)throw j}},ie=async q=>{await null,Q();let j=k-d.
now();if(j>0&&q!==g&&await de(d,u,j,l.signal,void 0,!0),B)throw B;g=q,M??=d.watch(oe=>{if(oe==="freeze"&&!C&&ne(new S("n\
etwork","page freeze")),/^(online|visible|resume)$/.test(oe))for(let Y of O)Y.doubt();Q()}),d.isSkipped=!1,w+=1;let ee=!u.
count;u.begin();let{signal:Ee}=T,Se=`${Z.root.href}-/connect`;try{let oe={token:h?await n():n,name:o},Y=await pn(a(Se.replace(
/^http/,"ws"),[on]),oe,Ee,Z,{async expiring(le){try{h&&await le.ask({t:"auth",token:await n()})}catch{}},told(le){let{ended:ue}=le;
ue?(O.delete(le),ue.code!=="stopped"&&!ue.facts.moved&&c("error",R=ue)):(O.add(le),w=0),Q()},beat:()=>C?.beat(),stale:()=>C?.
stale()});if(Y.ended)throw Y.ended;return u.progress(),Y}catch(oe){let Y=oe;throw Y.facts?.moved?Y:(k=d.now()+(u.end({})??
p.cap),ee&&Y.facts?.opened===!1&&(R=await N(r.connectionRest).then(({whyNot:ue})=>ue(Se,i,Z,Y)).catch(()=>Y)),R??Y)}},Z={
environment:d,retry:p,parts:r,signal:l.signal,get root(){return ln(t)},access:{isFresh:h,refusedAt:-1/0},sessions:O,get self(){
return J},async line(q,j){if(B)throw B;j?.throwIfAborted();let ee=()=>X(q);return be()?.line(ee,j)??ee()},of(q){let j=x.
get(q);return j||x.set(q,j={feed:un(q,Z),live:cn(q,Z)}),j},moved:ne,signedOut:()=>{Pe().catch(()=>{})},changed:Q},J={root:String(
t),stream:(q,{signal:j,...ee}={})=>xt(kt(q,Z),{environment:d,retry:p,parts:r,...ee,signal:j?AbortSignal.any([j,l.signal]):
l.signal}),get state(){return B?"closed":C?.role==="follower"?C.state:J.isOpen?"live":b||C&&!C.role?"connecting":O.size?
"draining":d.next===null?"idle":d.online()?"waiting":"offline"},get role(){return C?C.role??"follower":"alone"},get isOpen(){
return[...O].some(q=>q.isUsable)},get attempt(){return w},get retryAt(){return/^(waiting|offline|draining)$/.test(J.state)?
d.next:null},get lastError(){return R},on:y,reconnect(){C?.reconnect(),d.isSkipped=!0,k=-1/0,d.end(),ne(new S("network",
"reconnect()")),b||d.timer(0,()=>d.isSkipped=!1)},close(){B||(B=se("the connection was closed"),C?.leave(),l.abort(B),ne(
B),M?.(),K?.(),c("state",P="closed"))},async signOut(){B||be()?.signOut(),await Pe()},async[Symbol.asyncDispose](){J.close()}};
return z(e.signal,J.close),J}_();et();var En={facts:{moved:!0}};_();te();ke();_();var Rt=class{heartbeat;isFar=!0;ended;#e;#n;#o=1;#t=new Map;#r=new Map;constructor(e,r,n){this.#e=e,this.heartbeat=
r,this.#n=o=>this.ended||n(o)}ask(e,r){if(this.ended)return Promise.reject(this.ended);let n=this.#o++;return new Promise(
(o,s)=>{this.#t.set(n,{resolve:o,reject:s}),this.#n({t:"ask",tab:this.#e,n,text:JSON.stringify(e),raw:r})})}say(e){e.t!==
"ack"&&this.#n({t:"say",tab:this.#e,text:JSON.stringify(e)})}follow(e,r){if(this.ended)return e.lost(this.ended);this.#r.
set(e.path,e),this.#n({t:"follow",tab:this.#e,path:e.path,live:r.presence===!0,envelope:r.envelope===!0})}leave(e){this.#r.
get(e.path)===e&&(this.#r.delete(e.path),this.#n({t:"leave",tab:this.#e,path:e.path}))}close(e){if(this.ended)return;this.
ended=e;let r=[...this.#t.values()],n=[...this.#r.values()];this.#t.clear(),this.#r.clear();for(let{reject:o}of r)o(e);for(let o of n)
o.lost(e)}hear(e){if(e.t==="answer"){let n=e.tab===this.#e?this.#t.get(e.n):void 0;if(!n)return;this.#t.delete(e.n),e.error?
n.reject(Ht(e.error)):n.resolve(e.told);return}let r=this.#r.get(e.path);if(e.t==="told")return r?.told(Ot(e.text),e.text);
this.#r.delete(e.path),r?.lost(Ht(e.error))}};var Lo=15e3,Sn=1.2,Tn=1e3,ur=.7,Wo=.1,At=()=>new S("network","another tab has the connection now",En),Rn=()=>se("the con\
nection was closed");function Ho(t,e,r){let{environment:n,retry:o,signal:s,parts:i}=t,a=$e(n,o,s,()=>N(i.connectionLeader)),
d=[],p,u=!1;return{hear(f){if(p)return p.hear(f);d.push(f)>1||a().then(({Leader:c})=>{if(!u){p=new c(t,e,r);for(let y of d)
p.hear(y)}},()=>d=[])},end(){u=!0,p?.end()}}}var Ct=class{role;#e;#n;#o;#t;#r;#s;#a;#i=0;#f="connecting";#c=Lo;#d=0;#u=0;#l=new AbortController;#m=new AbortController;#y;#h=[];#p;#w;#g=!1;#k=Date.
now();constructor(e,r,n,o){this.#e=e,this.#n=r,this.#o=n,this.#t=o,this.#w=e.environment.watch(s=>{s==="freeze"?this.#S(
At()):s==="resume"&&this.#l.signal.aborted?this.#x():s==="visible"&&this.#v()}),this.#x()}get state(){return this.#f}async line(e,r){
for(;;){let n=await this.#P(r);if(n)return n;if(!this.stale())try{return await e()}catch(o){if(!o.facts?.moved)throw o;r?.
throwIfAborted()}}}async#P(e){for(;!this.role;){if(this.#g||e?.aborted)throw Rn();await new Promise(r=>{this.#h.push(r),
e?.addEventListener("abort",()=>r(),{once:!0})})}if(this.role==="follower"){if(!this.#a||this.#a.ended){let r=this.#i;this.#a=
new Rt(this.#o,this.#c,n=>this.#b({...n,term:r}))}return this.#a}}stale(){let e=this.#c*Sn+Tn*ur*.9;return!this.#s||this.#e.
environment.now()-this.#u<=e?!1:(this.#S(At()),this.#x(),!0)}beat(){this.#e.environment.now()-this.#u>=this.#c*Wo&&this.#O()}changed(){
this.#O()}reconnect(){this.role==="follower"&&this.#b({t:"reconnect",tab:this.#o,term:this.#i})}signOut(){this.#b({t:"ou\
t"}),this.#W("/out",Date.now())}leave(){this.#g=!0,this.#w(),this.#S(Rn())}#x(){if(this.#g)return;let{signal:e}=this.#l=
new AbortController,r=()=>new Promise(n=>{if(e.aborted)return n();e.addEventListener("abort",()=>n()),this.#F()});this.#t.
locks.request(this.#R(this.#o),{signal:e},r).catch(n=>{!e.aborted&&n.name!=="AbortError"&&this.#T("alone")})}#F(){if(this.#L(
"/out")>=this.#k)return this.#e.signedOut();this.#r=this.#t.channel(this.#n),this.#r.onmessage=({data:e})=>this.#B(e),this.#d=
this.#e.environment.now(),this.#A(),this.#b({t:"who"})}#R(e){return`${this.#n}/${e}`}#A(){this.#m=new AbortController,this.#C(
{signal:this.#m.signal}),this.#v()}#C(e){let{signal:r}=this.#l,n=!1,o=()=>new Promise(s=>{if(r.aborted)return s();n=!0,this.#y=
s,this.#D()});this.#t.locks.request(this.#n,e,o).catch(()=>{!n||r.aborted||(this.#E(),this.#A())})}#D(){this.#i=this.#U();
let{signal:e}=this.#l;this.#u=this.#e.environment.now();let r=this.#i,n=(o,s)=>{this.#t.locks.request(this.#R(o),{signal:e},
s).catch(()=>{})};this.#s=Ho(this.#e,o=>this.#b({...o,term:r}),n),this.#T("leader"),this.#O()}#U(){let e=Math.max(this.#i+
1,Date.now(),this.#L("")+1);return this.#W("",e),e}#L(e){try{return Number(this.#t.terms().getItem(this.#n+e))}catch{return 0}}#W(e,r){
try{this.#t.terms().setItem(this.#n+e,String(r))}catch{}}#E(){this.#s&&(this.#s.end(),this.#s=void 0,this.role=void 0,this.#e.
moved(At()),this.#y?.())}#S(e){this.#l.abort(),this.#m.abort(),this.#E(),this.#p?.(),this.role=void 0,this.#a?.close(e),
this.#r?.close(),this.#r=void 0,this.#g&&this.#H(),this.#e.changed()}#T(e){this.role=e;let r=this.#a;this.#a=void 0,r?.close(
At()),this.#H(),this.#v(),this.#e.changed()}#H(){for(let e of this.#h.splice(0))e()}#b(e){this.#r?.postMessage(e)}#O(){if(!this.#s||
this.stale())return;let{environment:e,self:r,sessions:n}=this.#e;this.#c=[...n].at(-1)?.heartbeat||this.#c,this.#u=e.now(),
this.#b({t:"lead",term:this.#i,state:r.state,heartbeat:this.#c})}#B(e){if(e.t==="out")return this.#e.signedOut();if(e.t===
"who")return this.#O();if(!(e.term<this.#i)&&(e.t==="lead"&&this.#N(e),e.term===this.#i)){if(e.t==="answer"||e.t==="told"||
e.t==="lost")this.#a?.hear(e);else if(e.t!=="lead")return this.#s?.hear(e);this.#d=this.#e.environment.now()}}#N({term:e,
state:r,heartbeat:n}){let o=e>this.#i||!this.role;if(!(e===this.#i&&this.#s)){if(this.#i=e,this.#f=r,this.#c=n,!o)return this.#e.
changed();this.#E(),this.#T("follower"),N(this.#e.parts.connectionLeader).catch(()=>{})}}#v(){if(this.#p?.(),!this.#r||this.
role==="leader"||this.role==="alone")return;let{environment:e}=this.#e,r=this.#c*Sn,n=()=>(this.#d=Math.min(this.#d,e.now()),
e.now()-this.#d);n()<r?this.#p=e.timer(r-n(),()=>this.#v()):e.hidden()?this.#p=e.timer(r,()=>this.#v()):(this.#b({t:"who"}),
this.#p=e.timer(Tn*(ur+(1-ur)*e.random()),()=>{n()>=r&&this.#I(),this.#v()}))}#I(){this.#m.abort(),this.#d=this.#e.environment.
now(),this.#C({steal:!0})}};function Fo(){let{navigator:t,BroadcastChannel:e}=globalThis,r=t?.locks;if(!(!r||!e))return{locks:r,channel:n=>new e(n),
terms:()=>localStorage}}function Do(t){let{user:e,platform:r}=t;if(!e)throw new S("bad-request","tabs that share a conne\
ction have a user");return n=>{let o=r??Fo();return o&&new Ct(n,`headwater/1/${n.root.href}/${encodeURIComponent(e)}`,Fe(),
o)}}export{Co as connect,nn as stream,Do as tabs};
