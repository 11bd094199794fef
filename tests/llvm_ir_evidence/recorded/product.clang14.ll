; ModuleID = 'gemm.c'
source_filename = "gemm.c"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-f80:128-n8:16:32:64-S128"
target triple = "x86_64-pc-linux-gnu"

@C = internal unnamed_addr global [192 x [192 x double]] zeroinitializer, align 16, !dbg !0
@A = internal unnamed_addr global [192 x [192 x double]] zeroinitializer, align 16, !dbg !7
@B = internal unnamed_addr global [192 x [192 x double]] zeroinitializer, align 16, !dbg !12
@.str = private unnamed_addr constant [5 x i8] c"dump\00", align 1
@.str.1 = private unnamed_addr constant [4 x i8] c"%a\0A\00", align 1

; Function Attrs: nofree noinline nosync nounwind uwtable
define dso_local void @kernel_gemm(double noundef %0, double noundef %1) local_unnamed_addr #0 !dbg !21 {
  call void @llvm.dbg.value(metadata double %0, metadata !25, metadata !DIExpression()), !dbg !37
  call void @llvm.dbg.value(metadata double %1, metadata !26, metadata !DIExpression()), !dbg !37
  call void @llvm.dbg.value(metadata i32 0, metadata !27, metadata !DIExpression()), !dbg !38
  br label %3, !dbg !39

3:                                                ; preds = %2, %6
  %4 = phi i64 [ 0, %2 ], [ %7, %6 ]
  call void @llvm.dbg.value(metadata i64 %4, metadata !27, metadata !DIExpression()), !dbg !38
  call void @llvm.dbg.value(metadata i32 0, metadata !30, metadata !DIExpression()), !dbg !40
  br label %9, !dbg !41

5:                                                ; preds = %6
  ret void, !dbg !42

6:                                                ; preds = %14
  %7 = add nuw nsw i64 %4, 1, !dbg !43
  call void @llvm.dbg.value(metadata i64 %7, metadata !27, metadata !DIExpression()), !dbg !38
  %8 = icmp eq i64 %7, 192, !dbg !44
  br i1 %8, label %5, label %3, !dbg !39, !llvm.loop !45

9:                                                ; preds = %3, %14
  %10 = phi i64 [ 0, %3 ], [ %15, %14 ]
  call void @llvm.dbg.value(metadata i64 %10, metadata !30, metadata !DIExpression()), !dbg !40
  %11 = getelementptr inbounds [192 x [192 x double]], [192 x [192 x double]]* @C, i64 0, i64 %4, i64 %10, !dbg !48
  %12 = load double, double* %11, align 8, !dbg !49, !tbaa !50
  %13 = fmul double %12, %1, !dbg !49
  call void @llvm.dbg.value(metadata i32 0, metadata !33, metadata !DIExpression()), !dbg !54
  call void @llvm.dbg.value(metadata i32 0, metadata !33, metadata !DIExpression()), !dbg !54
  br label %17, !dbg !55

14:                                               ; preds = %17
  store double %39, double* %11, align 8, !dbg !56, !tbaa !50
  %15 = add nuw nsw i64 %10, 1, !dbg !58
  call void @llvm.dbg.value(metadata i64 %15, metadata !30, metadata !DIExpression()), !dbg !40
  %16 = icmp eq i64 %15, 192, !dbg !59
  br i1 %16, label %6, label %9, !dbg !41, !llvm.loop !60

17:                                               ; preds = %17, %9
  %18 = phi i64 [ 0, %9 ], [ %40, %17 ]
  %19 = phi double [ %13, %9 ], [ %39, %17 ]
  call void @llvm.dbg.value(metadata i64 %18, metadata !33, metadata !DIExpression()), !dbg !54
  %20 = getelementptr inbounds [192 x [192 x double]], [192 x [192 x double]]* @A, i64 0, i64 %4, i64 %18, !dbg !62
  %21 = load double, double* %20, align 8, !dbg !62, !tbaa !50
  %22 = fmul double %21, %0, !dbg !63
  %23 = getelementptr inbounds [192 x [192 x double]], [192 x [192 x double]]* @B, i64 0, i64 %18, i64 %10, !dbg !64
  %24 = load double, double* %23, align 8, !dbg !64, !tbaa !50
  %25 = tail call double @llvm.fmuladd.f64(double %22, double %24, double %19), !dbg !56
  %26 = add nuw nsw i64 %18, 1, !dbg !65
  call void @llvm.dbg.value(metadata i64 %26, metadata !33, metadata !DIExpression()), !dbg !54
  call void @llvm.dbg.value(metadata i64 %26, metadata !33, metadata !DIExpression()), !dbg !54
  %27 = getelementptr inbounds [192 x [192 x double]], [192 x [192 x double]]* @A, i64 0, i64 %4, i64 %26, !dbg !62
  %28 = load double, double* %27, align 8, !dbg !62, !tbaa !50
  %29 = fmul double %28, %0, !dbg !63
  %30 = getelementptr inbounds [192 x [192 x double]], [192 x [192 x double]]* @B, i64 0, i64 %26, i64 %10, !dbg !64
  %31 = load double, double* %30, align 8, !dbg !64, !tbaa !50
  %32 = tail call double @llvm.fmuladd.f64(double %29, double %31, double %25), !dbg !56
  %33 = add nuw nsw i64 %18, 2, !dbg !65
  call void @llvm.dbg.value(metadata i64 %33, metadata !33, metadata !DIExpression()), !dbg !54
  call void @llvm.dbg.value(metadata i64 %33, metadata !33, metadata !DIExpression()), !dbg !54
  %34 = getelementptr inbounds [192 x [192 x double]], [192 x [192 x double]]* @A, i64 0, i64 %4, i64 %33, !dbg !62
  %35 = load double, double* %34, align 8, !dbg !62, !tbaa !50
  %36 = fmul double %35, %0, !dbg !63
  %37 = getelementptr inbounds [192 x [192 x double]], [192 x [192 x double]]* @B, i64 0, i64 %33, i64 %10, !dbg !64
  %38 = load double, double* %37, align 8, !dbg !64, !tbaa !50
  %39 = tail call double @llvm.fmuladd.f64(double %36, double %38, double %32), !dbg !56
  %40 = add nuw nsw i64 %18, 3, !dbg !65
  call void @llvm.dbg.value(metadata i64 %40, metadata !33, metadata !DIExpression()), !dbg !54
  %41 = icmp eq i64 %40, 192, !dbg !66
  br i1 %41, label %14, label %17, !dbg !55, !llvm.loop !67
}

; Function Attrs: mustprogress nofree nosync nounwind readnone speculatable willreturn
declare double @llvm.fmuladd.f64(double, double, double) #1

; Function Attrs: nofree nounwind uwtable
define dso_local i32 @main(i32 noundef %0, i8** nocapture noundef readonly %1) local_unnamed_addr #2 !dbg !69 {
  call void @llvm.dbg.value(metadata i32 %0, metadata !76, metadata !DIExpression()), !dbg !90
  call void @llvm.dbg.value(metadata i8** %1, metadata !77, metadata !DIExpression()), !dbg !90
  call void @llvm.dbg.value(metadata i32 0, metadata !91, metadata !DIExpression()), !dbg !100
  br label %3, !dbg !102

3:                                                ; preds = %2, %37
  %4 = phi i64 [ 0, %2 ], [ %38, %37 ]
  call void @llvm.dbg.value(metadata i64 %4, metadata !91, metadata !DIExpression()), !dbg !100
  call void @llvm.dbg.value(metadata i32 0, metadata !97, metadata !DIExpression()), !dbg !103
  %5 = insertelement <2 x i64> poison, i64 %4, i64 0, !dbg !104
  %6 = shufflevector <2 x i64> %5, <2 x i64> poison, <2 x i32> zeroinitializer, !dbg !104
  br label %7, !dbg !104

7:                                                ; preds = %7, %3
  %8 = phi i64 [ 0, %3 ], [ %34, %7 ], !dbg !105
  %9 = phi <2 x i64> [ <i64 0, i64 1>, %3 ], [ %35, %7 ]
  %10 = mul nuw nsw <2 x i64> %9, %6, !dbg !108
  %11 = trunc <2 x i64> %10 to <2 x i32>, !dbg !109
  %12 = add <2 x i32> %11, <i32 1, i32 1>, !dbg !109
  %13 = urem <2 x i32> %12, <i32 192, i32 192>, !dbg !109
  %14 = sitofp <2 x i32> %13 to <2 x double>, !dbg !110
  %15 = fdiv <2 x double> %14, <double 1.920000e+02, double 1.920000e+02>, !dbg !111
  %16 = getelementptr inbounds [192 x [192 x double]], [192 x [192 x double]]* @A, i64 0, i64 %4, i64 %8, !dbg !105
  %17 = bitcast double* %16 to <2 x double>*, !dbg !112
  store <2 x double> %15, <2 x double>* %17, align 16, !dbg !112, !tbaa !50
  %18 = add nuw nsw <2 x i64> %9, <i64 1, i64 1>, !dbg !105
  %19 = mul nuw nsw <2 x i64> %18, %6, !dbg !113
  %20 = trunc <2 x i64> %19 to <2 x i32>, !dbg !114
  %21 = urem <2 x i32> %20, <i32 192, i32 192>, !dbg !114
  %22 = sitofp <2 x i32> %21 to <2 x double>, !dbg !115
  %23 = fdiv <2 x double> %22, <double 1.920000e+02, double 1.920000e+02>, !dbg !116
  %24 = getelementptr inbounds [192 x [192 x double]], [192 x [192 x double]]* @B, i64 0, i64 %4, i64 %8, !dbg !105
  %25 = bitcast double* %24 to <2 x double>*, !dbg !117
  store <2 x double> %23, <2 x double>* %25, align 16, !dbg !117, !tbaa !50
  %26 = add nuw nsw <2 x i64> %9, <i64 2, i64 2>, !dbg !118
  %27 = mul nuw nsw <2 x i64> %26, %6, !dbg !119
  %28 = trunc <2 x i64> %27 to <2 x i32>, !dbg !120
  %29 = urem <2 x i32> %28, <i32 192, i32 192>, !dbg !120
  %30 = sitofp <2 x i32> %29 to <2 x double>, !dbg !121
  %31 = fdiv <2 x double> %30, <double 1.920000e+02, double 1.920000e+02>, !dbg !122
  %32 = getelementptr inbounds [192 x [192 x double]], [192 x [192 x double]]* @C, i64 0, i64 %4, i64 %8, !dbg !105
  %33 = bitcast double* %32 to <2 x double>*, !dbg !123
  store <2 x double> %31, <2 x double>* %33, align 16, !dbg !123, !tbaa !50
  %34 = add nuw i64 %8, 2, !dbg !105
  %35 = add <2 x i64> %9, <i64 2, i64 2>
  %36 = icmp eq i64 %34, 192, !dbg !105
  br i1 %36, label %37, label %7, !dbg !105, !llvm.loop !124

37:                                               ; preds = %7
  %38 = add nuw nsw i64 %4, 1, !dbg !127
  call void @llvm.dbg.value(metadata i64 %38, metadata !91, metadata !DIExpression()), !dbg !100
  %39 = icmp eq i64 %38, 192, !dbg !128
  br i1 %39, label %40, label %3, !dbg !102, !llvm.loop !129

40:                                               ; preds = %37
  call void @llvm.dbg.value(metadata i32 0, metadata !78, metadata !DIExpression()), !dbg !131
  tail call void @kernel_gemm(double noundef 1.500000e+00, double noundef 1.200000e+00), !dbg !132
  call void @llvm.dbg.value(metadata i32 1, metadata !78, metadata !DIExpression()), !dbg !131
  call void @llvm.dbg.value(metadata i32 1, metadata !78, metadata !DIExpression()), !dbg !131
  tail call void @kernel_gemm(double noundef 1.500000e+00, double noundef 1.200000e+00), !dbg !132
  call void @llvm.dbg.value(metadata i32 2, metadata !78, metadata !DIExpression()), !dbg !131
  call void @llvm.dbg.value(metadata i32 2, metadata !78, metadata !DIExpression()), !dbg !131
  tail call void @kernel_gemm(double noundef 1.500000e+00, double noundef 1.200000e+00), !dbg !132
  call void @llvm.dbg.value(metadata i32 3, metadata !78, metadata !DIExpression()), !dbg !131
  call void @llvm.dbg.value(metadata i32 3, metadata !78, metadata !DIExpression()), !dbg !131
  tail call void @kernel_gemm(double noundef 1.500000e+00, double noundef 1.200000e+00), !dbg !132
  call void @llvm.dbg.value(metadata i32 4, metadata !78, metadata !DIExpression()), !dbg !131
  call void @llvm.dbg.value(metadata i32 4, metadata !78, metadata !DIExpression()), !dbg !131
  tail call void @kernel_gemm(double noundef 1.500000e+00, double noundef 1.200000e+00), !dbg !132
  call void @llvm.dbg.value(metadata i32 5, metadata !78, metadata !DIExpression()), !dbg !131
  call void @llvm.dbg.value(metadata i32 5, metadata !78, metadata !DIExpression()), !dbg !131
  tail call void @kernel_gemm(double noundef 1.500000e+00, double noundef 1.200000e+00), !dbg !132
  call void @llvm.dbg.value(metadata i32 6, metadata !78, metadata !DIExpression()), !dbg !131
  call void @llvm.dbg.value(metadata i32 6, metadata !78, metadata !DIExpression()), !dbg !131
  tail call void @kernel_gemm(double noundef 1.500000e+00, double noundef 1.200000e+00), !dbg !132
  call void @llvm.dbg.value(metadata i32 7, metadata !78, metadata !DIExpression()), !dbg !131
  call void @llvm.dbg.value(metadata i32 7, metadata !78, metadata !DIExpression()), !dbg !131
  tail call void @kernel_gemm(double noundef 1.500000e+00, double noundef 1.200000e+00), !dbg !132
  call void @llvm.dbg.value(metadata i32 8, metadata !78, metadata !DIExpression()), !dbg !131
  call void @llvm.dbg.value(metadata i32 8, metadata !78, metadata !DIExpression()), !dbg !131
  tail call void @kernel_gemm(double noundef 1.500000e+00, double noundef 1.200000e+00), !dbg !132
  call void @llvm.dbg.value(metadata i32 9, metadata !78, metadata !DIExpression()), !dbg !131
  call void @llvm.dbg.value(metadata i32 9, metadata !78, metadata !DIExpression()), !dbg !131
  tail call void @kernel_gemm(double noundef 1.500000e+00, double noundef 1.200000e+00), !dbg !132
  call void @llvm.dbg.value(metadata i32 10, metadata !78, metadata !DIExpression()), !dbg !131
  %41 = icmp sgt i32 %0, 1, !dbg !134
  br i1 %41, label %43, label %42, !dbg !135

42:                                               ; preds = %43, %40
  br label %62, !dbg !136

43:                                               ; preds = %40
  %44 = getelementptr inbounds i8*, i8** %1, i64 1, !dbg !137
  %45 = load i8*, i8** %44, align 8, !dbg !137, !tbaa !138
  %46 = tail call i32 @strcmp(i8* noundef nonnull dereferenceable(1) %45, i8* noundef nonnull dereferenceable(5) getelementptr inbounds ([5 x i8], [5 x i8]* @.str, i64 0, i64 0)) #6, !dbg !140
  %47 = icmp eq i32 %46, 0, !dbg !140
  br i1 %47, label %48, label %42, !dbg !141

48:                                               ; preds = %43, %50
  %49 = phi i64 [ %51, %50 ], [ 0, %43 ]
  call void @llvm.dbg.value(metadata i64 %49, metadata !80, metadata !DIExpression()), !dbg !142
  call void @llvm.dbg.value(metadata i32 0, metadata !83, metadata !DIExpression()), !dbg !143
  br label %53, !dbg !144

50:                                               ; preds = %53
  %51 = add nuw nsw i64 %49, 1, !dbg !145
  call void @llvm.dbg.value(metadata i64 %51, metadata !80, metadata !DIExpression()), !dbg !142
  %52 = icmp eq i64 %51, 192, !dbg !146
  br i1 %52, label %90, label %48, !dbg !147, !llvm.loop !148

53:                                               ; preds = %48, %53
  %54 = phi i64 [ 0, %48 ], [ %58, %53 ]
  call void @llvm.dbg.value(metadata i64 %54, metadata !83, metadata !DIExpression()), !dbg !143
  %55 = getelementptr inbounds [192 x [192 x double]], [192 x [192 x double]]* @C, i64 0, i64 %49, i64 %54, !dbg !150
  %56 = load double, double* %55, align 8, !dbg !150, !tbaa !50
  %57 = tail call i32 (i8*, ...) @printf(i8* noundef nonnull dereferenceable(1) getelementptr inbounds ([4 x i8], [4 x i8]* @.str.1, i64 0, i64 0), double noundef %56), !dbg !152
  %58 = add nuw nsw i64 %54, 1, !dbg !153
  call void @llvm.dbg.value(metadata i64 %58, metadata !83, metadata !DIExpression()), !dbg !143
  %59 = icmp eq i64 %58, 192, !dbg !154
  br i1 %59, label %50, label %53, !dbg !144, !llvm.loop !155

60:                                               ; preds = %62
  %61 = tail call i32 (i8*, ...) @printf(i8* noundef nonnull dereferenceable(1) getelementptr inbounds ([4 x i8], [4 x i8]* @.str.1, i64 0, i64 0), double noundef %87), !dbg !157
  br label %90

62:                                               ; preds = %62, %42
  %63 = phi i64 [ 0, %42 ], [ %88, %62 ]
  %64 = phi double [ 0.000000e+00, %42 ], [ %87, %62 ]
  call void @llvm.dbg.value(metadata i64 %63, metadata !88, metadata !DIExpression()), !dbg !158
  call void @llvm.dbg.value(metadata double %64, metadata !86, metadata !DIExpression()), !dbg !159
  %65 = getelementptr inbounds [192 x [192 x double]], [192 x [192 x double]]* @C, i64 0, i64 %63, i64 %63, !dbg !160
  %66 = load double, double* %65, align 16, !dbg !160, !tbaa !50
  %67 = fadd double %64, %66, !dbg !162
  call void @llvm.dbg.value(metadata double %67, metadata !86, metadata !DIExpression()), !dbg !159
  %68 = or i64 %63, 1, !dbg !163
  call void @llvm.dbg.value(metadata i64 %68, metadata !88, metadata !DIExpression()), !dbg !158
  call void @llvm.dbg.value(metadata i64 %68, metadata !88, metadata !DIExpression()), !dbg !158
  call void @llvm.dbg.value(metadata double %67, metadata !86, metadata !DIExpression()), !dbg !159
  %69 = getelementptr inbounds [192 x [192 x double]], [192 x [192 x double]]* @C, i64 0, i64 %68, i64 %68, !dbg !160
  %70 = load double, double* %69, align 8, !dbg !160, !tbaa !50
  %71 = fadd double %67, %70, !dbg !162
  call void @llvm.dbg.value(metadata double %71, metadata !86, metadata !DIExpression()), !dbg !159
  %72 = add nuw nsw i64 %63, 2, !dbg !163
  call void @llvm.dbg.value(metadata i64 %72, metadata !88, metadata !DIExpression()), !dbg !158
  call void @llvm.dbg.value(metadata i64 %72, metadata !88, metadata !DIExpression()), !dbg !158
  call void @llvm.dbg.value(metadata double %71, metadata !86, metadata !DIExpression()), !dbg !159
  %73 = getelementptr inbounds [192 x [192 x double]], [192 x [192 x double]]* @C, i64 0, i64 %72, i64 %72, !dbg !160
  %74 = load double, double* %73, align 16, !dbg !160, !tbaa !50
  %75 = fadd double %71, %74, !dbg !162
  call void @llvm.dbg.value(metadata double %75, metadata !86, metadata !DIExpression()), !dbg !159
  %76 = add nuw nsw i64 %63, 3, !dbg !163
  call void @llvm.dbg.value(metadata i64 %76, metadata !88, metadata !DIExpression()), !dbg !158
  call void @llvm.dbg.value(metadata i64 %76, metadata !88, metadata !DIExpression()), !dbg !158
  call void @llvm.dbg.value(metadata double %75, metadata !86, metadata !DIExpression()), !dbg !159
  %77 = getelementptr inbounds [192 x [192 x double]], [192 x [192 x double]]* @C, i64 0, i64 %76, i64 %76, !dbg !160
  %78 = load double, double* %77, align 8, !dbg !160, !tbaa !50
  %79 = fadd double %75, %78, !dbg !162
  call void @llvm.dbg.value(metadata double %79, metadata !86, metadata !DIExpression()), !dbg !159
  %80 = add nuw nsw i64 %63, 4, !dbg !163
  call void @llvm.dbg.value(metadata i64 %80, metadata !88, metadata !DIExpression()), !dbg !158
  call void @llvm.dbg.value(metadata i64 %80, metadata !88, metadata !DIExpression()), !dbg !158
  call void @llvm.dbg.value(metadata double %79, metadata !86, metadata !DIExpression()), !dbg !159
  %81 = getelementptr inbounds [192 x [192 x double]], [192 x [192 x double]]* @C, i64 0, i64 %80, i64 %80, !dbg !160
  %82 = load double, double* %81, align 16, !dbg !160, !tbaa !50
  %83 = fadd double %79, %82, !dbg !162
  call void @llvm.dbg.value(metadata double %83, metadata !86, metadata !DIExpression()), !dbg !159
  %84 = add nuw nsw i64 %63, 5, !dbg !163
  call void @llvm.dbg.value(metadata i64 %84, metadata !88, metadata !DIExpression()), !dbg !158
  call void @llvm.dbg.value(metadata i64 %84, metadata !88, metadata !DIExpression()), !dbg !158
  call void @llvm.dbg.value(metadata double %83, metadata !86, metadata !DIExpression()), !dbg !159
  %85 = getelementptr inbounds [192 x [192 x double]], [192 x [192 x double]]* @C, i64 0, i64 %84, i64 %84, !dbg !160
  %86 = load double, double* %85, align 8, !dbg !160, !tbaa !50
  %87 = fadd double %83, %86, !dbg !162
  call void @llvm.dbg.value(metadata double %87, metadata !86, metadata !DIExpression()), !dbg !159
  %88 = add nuw nsw i64 %63, 6, !dbg !163
  call void @llvm.dbg.value(metadata i64 %88, metadata !88, metadata !DIExpression()), !dbg !158
  %89 = icmp eq i64 %88, 192, !dbg !164
  br i1 %89, label %60, label %62, !dbg !136, !llvm.loop !165

90:                                               ; preds = %50, %60
  ret i32 0, !dbg !167
}

; Function Attrs: argmemonly mustprogress nofree nounwind readonly willreturn
declare i32 @strcmp(i8* nocapture noundef, i8* nocapture noundef) local_unnamed_addr #3

; Function Attrs: nofree nounwind
declare noundef i32 @printf(i8* nocapture noundef readonly, ...) local_unnamed_addr #4

; Function Attrs: nofree nosync nounwind readnone speculatable willreturn
declare void @llvm.dbg.value(metadata, metadata, metadata) #5

attributes #0 = { nofree noinline nosync nounwind uwtable "frame-pointer"="none" "min-legal-vector-width"="0" "no-trapping-math"="true" "stack-protector-buffer-size"="8" "target-cpu"="x86-64" "target-features"="+cx8,+fxsr,+mmx,+sse,+sse2,+x87" "tune-cpu"="generic" }
attributes #1 = { mustprogress nofree nosync nounwind readnone speculatable willreturn }
attributes #2 = { nofree nounwind uwtable "frame-pointer"="none" "min-legal-vector-width"="0" "no-trapping-math"="true" "stack-protector-buffer-size"="8" "target-cpu"="x86-64" "target-features"="+cx8,+fxsr,+mmx,+sse,+sse2,+x87" "tune-cpu"="generic" }
attributes #3 = { argmemonly mustprogress nofree nounwind readonly willreturn "frame-pointer"="none" "no-trapping-math"="true" "stack-protector-buffer-size"="8" "target-cpu"="x86-64" "target-features"="+cx8,+fxsr,+mmx,+sse,+sse2,+x87" "tune-cpu"="generic" }
attributes #4 = { nofree nounwind "frame-pointer"="none" "no-trapping-math"="true" "stack-protector-buffer-size"="8" "target-cpu"="x86-64" "target-features"="+cx8,+fxsr,+mmx,+sse,+sse2,+x87" "tune-cpu"="generic" }
attributes #5 = { nofree nosync nounwind readnone speculatable willreturn }
attributes #6 = { nounwind readonly willreturn }

!llvm.dbg.cu = !{!2}
!llvm.module.flags = !{!14, !15, !16, !17, !18, !19}
!llvm.ident = !{!20}

!0 = !DIGlobalVariableExpression(var: !1, expr: !DIExpression())
!1 = distinct !DIGlobalVariable(name: "C", scope: !2, file: !3, line: 6, type: !9, isLocal: true, isDefinition: true)
!2 = distinct !DICompileUnit(language: DW_LANG_C99, file: !3, producer: "Debian clang version 14.0.6", isOptimized: true, runtimeVersion: 0, emissionKind: FullDebug, retainedTypes: !4, globals: !6, splitDebugInlining: false, nameTableKind: None)
!3 = !DIFile(filename: "gemm.c", directory: ".", checksumkind: CSK_MD5, checksum: "ffc4331097d835bdec7bfb4fa8fcfe86")
!4 = !{!5}
!5 = !DIBasicType(name: "double", size: 64, encoding: DW_ATE_float)
!6 = !{!7, !12, !0}
!7 = !DIGlobalVariableExpression(var: !8, expr: !DIExpression())
!8 = distinct !DIGlobalVariable(name: "A", scope: !2, file: !3, line: 6, type: !9, isLocal: true, isDefinition: true)
!9 = !DICompositeType(tag: DW_TAG_array_type, baseType: !5, size: 2359296, elements: !10)
!10 = !{!11, !11}
!11 = !DISubrange(count: 192)
!12 = !DIGlobalVariableExpression(var: !13, expr: !DIExpression())
!13 = distinct !DIGlobalVariable(name: "B", scope: !2, file: !3, line: 6, type: !9, isLocal: true, isDefinition: true)
!14 = !{i32 7, !"Dwarf Version", i32 5}
!15 = !{i32 2, !"Debug Info Version", i32 3}
!16 = !{i32 1, !"wchar_size", i32 4}
!17 = !{i32 7, !"PIC Level", i32 2}
!18 = !{i32 7, !"PIE Level", i32 2}
!19 = !{i32 7, !"uwtable", i32 1}
!20 = !{!"Debian clang version 14.0.6"}
!21 = distinct !DISubprogram(name: "kernel_gemm", scope: !3, file: !3, line: 8, type: !22, scopeLine: 8, flags: DIFlagPrototyped | DIFlagAllCallsDescribed, spFlags: DISPFlagDefinition | DISPFlagOptimized, unit: !2, retainedNodes: !24)
!22 = !DISubroutineType(types: !23)
!23 = !{null, !5, !5}
!24 = !{!25, !26, !27, !30, !33}
!25 = !DILocalVariable(name: "alpha", arg: 1, scope: !21, file: !3, line: 8, type: !5)
!26 = !DILocalVariable(name: "beta", arg: 2, scope: !21, file: !3, line: 8, type: !5)
!27 = !DILocalVariable(name: "i", scope: !28, file: !3, line: 9, type: !29)
!28 = distinct !DILexicalBlock(scope: !21, file: !3, line: 9, column: 3)
!29 = !DIBasicType(name: "int", size: 32, encoding: DW_ATE_signed)
!30 = !DILocalVariable(name: "j", scope: !31, file: !3, line: 10, type: !29)
!31 = distinct !DILexicalBlock(scope: !32, file: !3, line: 10, column: 5)
!32 = distinct !DILexicalBlock(scope: !28, file: !3, line: 9, column: 3)
!33 = !DILocalVariable(name: "k", scope: !34, file: !3, line: 12, type: !29)
!34 = distinct !DILexicalBlock(scope: !35, file: !3, line: 12, column: 7)
!35 = distinct !DILexicalBlock(scope: !36, file: !3, line: 10, column: 25)
!36 = distinct !DILexicalBlock(scope: !31, file: !3, line: 10, column: 5)
!37 = !DILocation(line: 0, scope: !21)
!38 = !DILocation(line: 0, scope: !28)
!39 = !DILocation(line: 9, column: 3, scope: !28)
!40 = !DILocation(line: 0, scope: !31)
!41 = !DILocation(line: 10, column: 5, scope: !31)
!42 = !DILocation(line: 15, column: 1, scope: !21)
!43 = !DILocation(line: 9, column: 20, scope: !32)
!44 = !DILocation(line: 9, column: 16, scope: !32)
!45 = distinct !{!45, !39, !46, !47}
!46 = !DILocation(line: 14, column: 5, scope: !28)
!47 = !{!"llvm.loop.mustprogress"}
!48 = !DILocation(line: 11, column: 7, scope: !35)
!49 = !DILocation(line: 11, column: 14, scope: !35)
!50 = !{!51, !51, i64 0}
!51 = !{!"double", !52, i64 0}
!52 = !{!"omnipotent char", !53, i64 0}
!53 = !{!"Simple C/C++ TBAA"}
!54 = !DILocation(line: 0, scope: !34)
!55 = !DILocation(line: 12, column: 7, scope: !34)
!56 = !DILocation(line: 13, column: 16, scope: !57)
!57 = distinct !DILexicalBlock(scope: !34, file: !3, line: 12, column: 7)
!58 = !DILocation(line: 10, column: 22, scope: !36)
!59 = !DILocation(line: 10, column: 18, scope: !36)
!60 = distinct !{!60, !41, !61, !47}
!61 = !DILocation(line: 14, column: 5, scope: !31)
!62 = !DILocation(line: 13, column: 24, scope: !57)
!63 = !DILocation(line: 13, column: 23, scope: !57)
!64 = !DILocation(line: 13, column: 32, scope: !57)
!65 = !DILocation(line: 12, column: 24, scope: !57)
!66 = !DILocation(line: 12, column: 20, scope: !57)
!67 = distinct !{!67, !55, !68, !47}
!68 = !DILocation(line: 13, column: 38, scope: !34)
!69 = distinct !DISubprogram(name: "main", scope: !3, file: !3, line: 16, type: !70, scopeLine: 16, flags: DIFlagPrototyped | DIFlagAllCallsDescribed, spFlags: DISPFlagDefinition | DISPFlagOptimized, unit: !2, retainedNodes: !75)
!70 = !DISubroutineType(types: !71)
!71 = !{!29, !29, !72}
!72 = !DIDerivedType(tag: DW_TAG_pointer_type, baseType: !73, size: 64)
!73 = !DIDerivedType(tag: DW_TAG_pointer_type, baseType: !74, size: 64)
!74 = !DIBasicType(name: "char", size: 8, encoding: DW_ATE_signed_char)
!75 = !{!76, !77, !78, !80, !83, !86, !88}
!76 = !DILocalVariable(name: "argc", arg: 1, scope: !69, file: !3, line: 16, type: !29)
!77 = !DILocalVariable(name: "argv", arg: 2, scope: !69, file: !3, line: 16, type: !72)
!78 = !DILocalVariable(name: "r", scope: !79, file: !3, line: 18, type: !29)
!79 = distinct !DILexicalBlock(scope: !69, file: !3, line: 18, column: 3)
!80 = !DILocalVariable(name: "i", scope: !81, file: !3, line: 19, type: !29)
!81 = distinct !DILexicalBlock(scope: !82, file: !3, line: 19, column: 38)
!82 = distinct !DILexicalBlock(scope: !69, file: !3, line: 19, column: 6)
!83 = !DILocalVariable(name: "j", scope: !84, file: !3, line: 19, type: !29)
!84 = distinct !DILexicalBlock(scope: !85, file: !3, line: 19, column: 58)
!85 = distinct !DILexicalBlock(scope: !81, file: !3, line: 19, column: 38)
!86 = !DILocalVariable(name: "s", scope: !87, file: !3, line: 20, type: !5)
!87 = distinct !DILexicalBlock(scope: !82, file: !3, line: 20, column: 8)
!88 = !DILocalVariable(name: "i", scope: !89, file: !3, line: 20, type: !29)
!89 = distinct !DILexicalBlock(scope: !87, file: !3, line: 20, column: 21)
!90 = !DILocation(line: 0, scope: !69)
!91 = !DILocalVariable(name: "i", scope: !92, file: !3, line: 7, type: !29)
!92 = distinct !DILexicalBlock(scope: !93, file: !3, line: 7, column: 24)
!93 = distinct !DISubprogram(name: "init", scope: !3, file: !3, line: 7, type: !94, scopeLine: 7, flags: DIFlagPrototyped | DIFlagAllCallsDescribed, spFlags: DISPFlagLocalToUnit | DISPFlagDefinition | DISPFlagOptimized, unit: !2, retainedNodes: !96)
!94 = !DISubroutineType(types: !95)
!95 = !{null}
!96 = !{!91, !97}
!97 = !DILocalVariable(name: "j", scope: !98, file: !3, line: 7, type: !29)
!98 = distinct !DILexicalBlock(scope: !99, file: !3, line: 7, column: 44)
!99 = distinct !DILexicalBlock(scope: !92, file: !3, line: 7, column: 24)
!100 = !DILocation(line: 0, scope: !92, inlinedAt: !101)
!101 = distinct !DILocation(line: 17, column: 3, scope: !69)
!102 = !DILocation(line: 7, column: 24, scope: !92, inlinedAt: !101)
!103 = !DILocation(line: 0, scope: !98, inlinedAt: !101)
!104 = !DILocation(line: 7, column: 44, scope: !98, inlinedAt: !101)
!105 = !DILocation(line: 7, column: 106, scope: !106, inlinedAt: !101)
!106 = distinct !DILexicalBlock(scope: !107, file: !3, line: 7, column: 64)
!107 = distinct !DILexicalBlock(scope: !98, file: !3, line: 7, column: 44)
!108 = !DILocation(line: 7, column: 75, scope: !106, inlinedAt: !101)
!109 = !DILocation(line: 7, column: 80, scope: !106, inlinedAt: !101)
!110 = !DILocation(line: 7, column: 73, scope: !106, inlinedAt: !101)
!111 = !DILocation(line: 7, column: 82, scope: !106, inlinedAt: !101)
!112 = !DILocation(line: 7, column: 72, scope: !106, inlinedAt: !101)
!113 = !DILocation(line: 7, column: 103, scope: !106, inlinedAt: !101)
!114 = !DILocation(line: 7, column: 110, scope: !106, inlinedAt: !101)
!115 = !DILocation(line: 7, column: 101, scope: !106, inlinedAt: !101)
!116 = !DILocation(line: 7, column: 112, scope: !106, inlinedAt: !101)
!117 = !DILocation(line: 7, column: 100, scope: !106, inlinedAt: !101)
!118 = !DILocation(line: 7, column: 136, scope: !106, inlinedAt: !101)
!119 = !DILocation(line: 7, column: 133, scope: !106, inlinedAt: !101)
!120 = !DILocation(line: 7, column: 140, scope: !106, inlinedAt: !101)
!121 = !DILocation(line: 7, column: 131, scope: !106, inlinedAt: !101)
!122 = !DILocation(line: 7, column: 142, scope: !106, inlinedAt: !101)
!123 = !DILocation(line: 7, column: 130, scope: !106, inlinedAt: !101)
!124 = distinct !{!124, !104, !125, !47, !126}
!125 = !DILocation(line: 7, column: 153, scope: !98, inlinedAt: !101)
!126 = !{!"llvm.loop.isvectorized", i32 1}
!127 = !DILocation(line: 7, column: 41, scope: !99, inlinedAt: !101)
!128 = !DILocation(line: 7, column: 37, scope: !99, inlinedAt: !101)
!129 = distinct !{!129, !102, !130, !47}
!130 = !DILocation(line: 7, column: 153, scope: !92, inlinedAt: !101)
!131 = !DILocation(line: 0, scope: !79)
!132 = !DILocation(line: 18, column: 25, scope: !133)
!133 = distinct !DILexicalBlock(scope: !79, file: !3, line: 18, column: 3)
!134 = !DILocation(line: 19, column: 10, scope: !82)
!135 = !DILocation(line: 19, column: 12, scope: !82)
!136 = !DILocation(line: 20, column: 21, scope: !89)
!137 = !DILocation(line: 19, column: 22, scope: !82)
!138 = !{!139, !139, i64 0}
!139 = !{!"any pointer", !52, i64 0}
!140 = !DILocation(line: 19, column: 15, scope: !82)
!141 = !DILocation(line: 19, column: 6, scope: !69)
!142 = !DILocation(line: 0, scope: !81)
!143 = !DILocation(line: 0, scope: !84)
!144 = !DILocation(line: 19, column: 58, scope: !84)
!145 = !DILocation(line: 19, column: 55, scope: !85)
!146 = !DILocation(line: 19, column: 51, scope: !85)
!147 = !DILocation(line: 19, column: 38, scope: !81)
!148 = distinct !{!148, !147, !149, !47}
!149 = !DILocation(line: 19, column: 99, scope: !81)
!150 = !DILocation(line: 19, column: 92, scope: !151)
!151 = distinct !DILexicalBlock(scope: !84, file: !3, line: 19, column: 58)
!152 = !DILocation(line: 19, column: 78, scope: !151)
!153 = !DILocation(line: 19, column: 75, scope: !151)
!154 = !DILocation(line: 19, column: 71, scope: !151)
!155 = distinct !{!155, !144, !156, !47}
!156 = !DILocation(line: 19, column: 99, scope: !84)
!157 = !DILocation(line: 20, column: 52, scope: !87)
!158 = !DILocation(line: 0, scope: !89)
!159 = !DILocation(line: 0, scope: !87)
!160 = !DILocation(line: 20, column: 44, scope: !161)
!161 = distinct !DILexicalBlock(scope: !89, file: !3, line: 20, column: 21)
!162 = !DILocation(line: 20, column: 42, scope: !161)
!163 = !DILocation(line: 20, column: 38, scope: !161)
!164 = !DILocation(line: 20, column: 34, scope: !161)
!165 = distinct !{!165, !136, !166, !47}
!166 = !DILocation(line: 20, column: 50, scope: !89)
!167 = !DILocation(line: 21, column: 3, scope: !69)
