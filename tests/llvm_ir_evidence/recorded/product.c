#include <stdio.h>
#include <string.h>
#ifndef N
#define N 192
#endif
static double A[N][N], B[N][N], C[N][N];
static void init(void){for(int i=0;i<N;i++)for(int j=0;j<N;j++){A[i][j]=(i*j+1)%N/(double)N;B[i][j]=(i*(j+1))%N/(double)N;C[i][j]=(i*(j+2))%N/(double)N;}}
__attribute__((noinline)) void kernel_gemm(double alpha,double beta){
  for(int i=0;i<N;i++)
    for(int j=0;j<N;j++){
      C[i][j]*=beta;
      for(int k=0;k<N;k++)
        C[i][j]+=alpha*A[i][k]*B[k][j];
    }
}
int main(int argc,char**argv){
  init();
  for(int r=0;r<10;r++) kernel_gemm(1.5,1.2);
  if(argc>1&&!strcmp(argv[1],"dump"))for(int i=0;i<N;i++)for(int j=0;j<N;j++)printf("%a\n",C[i][j]);
  else { double s=0;for(int i=0;i<N;i++)s+=C[i][i];printf("%a\n",s);}
  return 0;}
